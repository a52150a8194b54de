// What a gateway spends on an event between HTTP and the silo: time, memory that it allocates, and how many events share a call.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Estat.Base.Acks;
using Estat.Collect.Events;
using Estat.Collect.Options;
using Estat.Grains.Forwarding;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Bench.Forwarding;

internal static class ForwardingCost
{
    private const int Events = 200_000;
    private static readonly byte[] Body = Encoding.UTF8.GetBytes($"{{\"text\":\"{new string('x', 500)}\"}}");

    internal static async Task RunAsync()
    {
        Console.WriteLine("| clients | a call takes | ns per event | bytes allocated per event | events per packet |");
        Console.WriteLine("|---|---|---|---|---|");
        TimeSpan millisecond = TimeSpan.FromMilliseconds(1);
        foreach ((int clients, TimeSpan call) in new[] { (1, TimeSpan.Zero), (64, TimeSpan.Zero), (64, millisecond), (1000, millisecond) })
        {
            await MeasureAsync(clients, call, Events / 10);
            (double nanoseconds, double bytes, double events) = await MeasureAsync(clients, call, Events);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"| {clients} | {call.TotalMilliseconds} ms | {nanoseconds:0} | {bytes:0.0} | {events:0.0} |"));
        }
    }

    private static async Task<(double Nanoseconds, double Bytes, double PerPacket)> MeasureAsync(int clients, TimeSpan call, int events)
    {
        var link = new Link(call);
        using var ingest = new ForwardingIngest(link, new CollectOptions(), TimeProvider.System, NullLogger.Instance);
        long bytes = GC.GetTotalAllocatedBytes(precise: true);
        long started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(() => SendAsync(ingest, events / clients))));
        double nanoseconds = Stopwatch.GetElapsedTime(started).TotalNanoseconds;
        bytes = GC.GetTotalAllocatedBytes(precise: true) - bytes;
        return (nanoseconds / events, (double)bytes / events, (double)events / link.Packets);
    }

    private static async Task SendAsync(ForwardingIngest ingest, int events)
    {
        for (int i = 0; i < events; i++)
        {
            Ack ack = await Send(ingest);
            if (!ack.IsAccepted)
            {
                throw new InvalidOperationException($"an event was answered {ack.Admission}");
            }
        }
    }

    private static ValueTask<Ack> Send(ForwardingIngest ingest) =>
        ingest.AcceptAsync(new EventHeader { UnixSeconds = 1_767_323_045, Ip = "192.0.2.1"u8, UserAgent = "bench" }, Body, AckLevel.Disk);

    // One silo that takes everything, at once or after a while.
    private sealed class Link(TimeSpan call) : ISiloLink, ISiloLinks
    {
        private static readonly Ack Taken = new(Admission.Accepted, AckLevel.Disk, "raw/key");
        private static readonly Task<Ack> AtOnce = Task.FromResult(Taken);
        private int _packets;

        public string Name => "fake";

        public IReadOnlyList<ISiloLink> All => field ??= [this];

        internal int Packets => _packets;

        public Task<Ack> SendAsync(Packet packet)
        {
            Interlocked.Increment(ref _packets);
            return call == TimeSpan.Zero ? AtOnce : LaterAsync();
        }

        public Task<bool> ProbeAsync() => Task.FromResult(true);

        private async Task<Ack> LaterAsync()
        {
            await Task.Delay(call);
            return Taken;
        }
    }
}
