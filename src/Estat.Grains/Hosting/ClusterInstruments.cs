// What a silo counts beside its engine.
using System.Diagnostics.Metrics;

namespace Estat.Grains.Hosting;

/// <summary>Instruments of the grains, on the node's own meter.</summary>
public sealed class ClusterInstruments
{
    private readonly Counter<long> _ticks;
    private readonly Counter<long> _ticksSkipped;

    /// <param name="meter">The node's meter.</param>
    public ClusterInstruments(Meter meter)
    {
        ArgumentNullException.ThrowIfNull(meter);
        _ticks = meter.CreateCounter<long>("estat_recovery_ticks_total", description: "Runs of recovery grains' reminders at the silo that has the "
            + "spool");
        _ticksSkipped = meter.CreateCounter<long>(
            "estat_recovery_ticks_skipped_total", description: "Runs of recovery grains' reminders for a spool that no silo has mounted");
        _ticks.Add(0);
        _ticksSkipped.Add(0);
    }

    internal void OnTick() => _ticks.Add(1);

    internal void OnTickSkipped() => _ticksSkipped.Add(1);
}
