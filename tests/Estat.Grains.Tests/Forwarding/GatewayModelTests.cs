// What holds whatever silos, membership and clients do: acknowledged is stored once, refused is not stored, unknown is stored once at the most.
using System.Collections.Concurrent;
using Estat.Base.Acks;
using Estat.Collect.Options;
using Estat.Grains.Forwarding;

namespace Estat.Grains.Tests.Forwarding;

public sealed class GatewayModelTests
{
    // More of them: make model.
    private static readonly int Seeds = int.TryParse(Environment.GetEnvironmentVariable("ESTAT_MODEL_SEEDS"), out int seeds) ? seeds : 500;

    [Fact]
    public async Task What_clients_are_told_is_true_over_hundreds_of_seeds()
    {
        int accepted = 0, refused = 0, unknown = 0, moved = 0;
        await Parallel.ForEachAsync(Enumerable.Range(1, Seeds), new ParallelOptions { MaxDegreeOfParallelism = 2 }, async (seed, _) =>
        {
            using var model = new GatewayModel(seed);
            try
            {
                await model.RunAsync(steps: 60);
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"seed {seed}: {error.Message}", error);
            }

            Interlocked.Add(ref accepted, model.Accepted);
            Interlocked.Add(ref refused, model.Refused);
            Interlocked.Add(ref unknown, model.Unknown);
            Interlocked.Add(ref moved, model.Moved);
        });
        // The model reaches what it is there for.
        Assert.All([accepted, refused, unknown, moved], count => Assert.InRange(count, Seeds / 2, int.MaxValue));
    }

    [Fact]
    public async Task Many_threads_lose_nothing_and_are_each_answered_once()
    {
        const int Threads = 8;
        const int PerThread = 20_000;
        var stored = new ConcurrentDictionary<string, int>();
        var links = new FakeSilos(
            [.. Enumerable.Range(0, 3).Select(n => new FakeSilo($"silo-{n}") { AtOnce = packet => TakeAsync(packet, stored) })]);
        using var ingest = new ForwardingIngest(links, new CollectOptions { Partitions = 2 }, TimeProvider.System, NullLogger.Instance);
        int[] accepted = await Task.WhenAll(Enumerable.Range(0, Threads)
            .Select(thread => Task.Run(() => SendAsync(ingest, stored, thread, PerThread)))).WaitAsync(GatewayRig.Limit * 3);
        Assert.Equal(0, await ingest.DrainAsync(TimeSpan.FromSeconds(5), CancellationToken.None));
        Assert.Equal(accepted.Sum(), stored.Count);
        Assert.All(stored.Values, times => Assert.Equal(1, times));
        Assert.InRange(accepted.Sum(), Threads * PerThread / 2, Threads * PerThread);
        Assert.Equal(accepted.Sum(), ingest.AcceptedRequests);
    }

    // Takes on another thread, after refusing now and then.
    private static async Task<Ack> TakeAsync(Packet packet, ConcurrentDictionary<string, int> stored)
    {
        await Task.Yield();
        int mood = Random.Shared.Next(20);
        if (mood == 0)
        {
            return new Ack(Admission.QueueFull, AckLevel.Memory, "");
        }

        foreach (string body in EventLines.Decode(packet.Lines.ToArray()))
        {
            stored.AddOrUpdate(body, 1, (_, times) => times + 1);
        }

        return new Ack(Admission.Accepted, packet.Level, "key");
    }

    // 32 events at a time, as so many connections would.
    private static async Task<int> SendAsync(ForwardingIngest ingest, ConcurrentDictionary<string, int> stored, int thread, int count)
    {
        int accepted = 0;
        var waiting = new List<(string Body, Task<Ack> Ack)>();
        for (int next = 0; next < count; next++)
        {
            string body = $"{thread}:{next}";
            waiting.Add((body, ingest.AcceptAsync(EventLines.Header(), System.Text.Encoding.UTF8.GetBytes(body), AckLevel.Disk).AsTask()));
            if (waiting.Count == 32 || next == count - 1)
            {
                foreach ((string sent, Task<Ack> answer) in waiting)
                {
                    Ack ack = await answer;
                    Assert.True(ack.IsAccepted || ack.Admission == Admission.QueueFull);
                    Assert.Equal(ack.IsAccepted, stored.ContainsKey(sent));
                    accepted += ack.IsAccepted ? 1 : 0;
                }

                waiting.Clear();
            }
        }

        return accepted;
    }
}
