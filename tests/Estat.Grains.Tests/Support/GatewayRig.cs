// A gateway over silos that the test plays.
using System.Text;
using Estat.Base.Acks;
using Estat.Base.Metrics;
using Estat.Collect.Batching;
using Estat.Collect.Options;
using Estat.Grains.Forwarding;

namespace Estat.Grains.Tests.Support;

/// <summary>A <see cref="ForwardingIngest"/> over a clock that the test drives.</summary>
internal sealed class GatewayRig : IDisposable
{
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    internal GatewayRig(int silos = 1, CollectOptions? options = null, int partitions = 1)
    {
        Silos = [.. Enumerable.Range(0, silos).Select(n => new FakeSilo($"silo-{n}"))];
        Links = new FakeSilos([.. Silos]);
        Ingest = new ForwardingIngest(Links, (options ?? new CollectOptions()) with { Partitions = partitions }, Time, NullLogger.Instance);
        Metrics = new PrometheusText(Ingest.Instruments.Meter);
    }

    internal ManualTimeProvider Time { get; } = new();

    internal FakeSilo[] Silos { get; }

    internal FakeSilos Links { get; }

    internal ForwardingIngest Ingest { get; }

    internal PrometheusText Metrics { get; }

    /// <summary>Calls that no silo has answered, in the order of the silos.</summary>
    internal SiloCall[] Open => [.. Silos.SelectMany(silo => silo.Open)];

    /// <summary>All calls that there were.</summary>
    internal SiloCall[] Calls => [.. Silos.SelectMany(silo => silo.Calls)];

    internal Task<Ack> Send(string body, AckLevel level = AckLevel.Disk) =>
        Ingest.AcceptAsync(EventLines.Header(), Encoding.UTF8.GetBytes(body), level).AsTask();

    internal Task<Ack>[] Send(IEnumerable<string> bodies, AckLevel level = AckLevel.Disk) => [.. bodies.Select(body => Send(body, level))];

    internal Task<Ack> SendBlock(IEnumerable<string> bodies, AckLevel level = AckLevel.Disk)
    {
        using LineBlock block = Ingest.NewBlock();
        foreach (string body in bodies)
        {
            block.Add(EventLines.Header(), Encoding.UTF8.GetBytes(body));
        }

        return Ingest.AcceptAsync(block, level).AsTask();
    }

    /// <summary>Waits for a call that has not been answered.</summary>
    internal async Task<SiloCall> NextAsync()
    {
        await Wait.UntilAsync(() => Open.Length > 0, Limit, "a call to a silo");
        return Open[0];
    }

    /// <summary>The admission of an answer, which must come.</summary>
    internal static async Task<Admission> Of(Task<Ack> ack) => (await ack.WaitAsync(Limit)).Admission;

    public void Dispose()
    {
        Metrics.Dispose();
        Ingest.Dispose();
    }
}
