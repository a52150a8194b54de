// The shell around PacketIntake.
using Estat.Base.Acks;
using Estat.Collect.Options;
using Estat.Grains.Forwarding;

namespace Estat.Grains.Batching;

/// <summary>Holds nothing: the silo's partitions do, so one sync serves many calls, and a call that waits for it keeps no other one out.</summary>
[StatelessWorker(1), Reentrant, GrainType("batch")]
internal sealed class BatchGrain(PacketIntake intake, CollectOptions options) : Grain, IBatchGrain
{
    /// <inheritdoc/>
    public Task<WireGreeting> GreetAsync() => Task.FromResult(new WireGreeting(
        intake.Instance, WireNames.Name(intake.Outlook(options.Ack)), [.. intake.Levels.Select(level => level.ToText())]));

    /// <inheritdoc/>
    public Task<WireAck> AppendAsync(WirePacket packet) => TakeAsync(packet, prefix: null);

    /// <inheritdoc/>
    public Task<WireAck> AppendStoredAsync(WirePacket packet) => TakeAsync(packet, prefix: null);

    /// <inheritdoc/>
    public Task<WireAck> AppendBelowAsync(WirePrefixedPacket prefixed) => TakeAsync(prefixed.Packet, prefixed.Prefix);

    /// <inheritdoc/>
    public Task<WireAck> AppendBelowStoredAsync(WirePrefixedPacket prefixed) => TakeAsync(prefixed.Packet, prefixed.Prefix);

    private async Task<WireAck> TakeAsync(WirePacket packet, string? prefix)
    {
        AckLevel level = AckLevels.Parse(packet.Level) ?? throw new ArgumentException($"no such ack level: {packet.Level}", nameof(packet));
        return WireNames.ToWire(await intake.TakeAsync(packet.Number, packet.Instance, level, packet.Events, packet.Lines.Span, prefix,
            WireTraces.ToContexts(packet.Traces)));
    }
}
