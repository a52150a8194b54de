// A replay that is refused says so, and goes on where it was: nothing is left out, nothing is sent twice.
using System.Collections.Concurrent;
using System.Text;
using Estat.Base.Storage;
using Estat.Lake.Lines;
using Estat.Lake.Names;
using Estat.Lake.Reading;
using Estat.Lake.Replaying;

namespace Estat.Lake.Tests.Replaying;

public sealed class IngestReplayTests : IDisposable
{
    private readonly TempFolder _folder = new();
    private readonly ConcurrentQueue<string> _taken = new();
    private readonly ReplayState _state = new() { What = "a test", Began = DateTimeOffset.UnixEpoch };

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1, 1)] // fewer than go at once: nobody waits for any before the end
    [InlineData(3, 1)]
    [InlineData(3, 3)]
    [InlineData(20, 1)]
    [InlineData(20, 10)]
    [InlineData(20, 20)]
    public async Task A_request_that_is_refused_ends_it_and_the_next_run_brings_the_rest_once(int events, int refused)
    {
        using var store = Store(events);
        await Assert.ThrowsAsync<IOException>(() => RunAsync(store, new Target(_taken, number => number == refused, new IOException("no more"))));
        Assert.True(_taken.Count < events, "what was refused counts as taken");

        Assert.True(await RunAsync(store, new Target(_taken, _ => false)));
        Assert.Equal(Enumerable.Range(0, events).Select(number => $"event {number}")
            .Order(StringComparer.Ordinal), _taken.Order(StringComparer.Ordinal));
        Assert.Equal((events, 0), (_state.Events, _state.Uncertain));
    }

    [Fact]
    public async Task A_request_that_is_given_up_because_the_run_is_to_end_is_not_the_end()
    {
        using var store = Store(2);
        Assert.False(await RunAsync(store, new Target(_taken, number => number == 2)));
        Assert.True(await RunAsync(store, new Target(_taken, _ => false)));
        Assert.Equal(["event 0", "event 1"], _taken.Order(StringComparer.Ordinal));
    }

    // Events in two objects, as a node of two partitions leaves them.
    private FolderObjectStore Store(int events)
    {
        var keys = new ObjectKeys("raw", ObjectKeys.NewInstance());
        foreach (IGrouping<int, int> partition in Enumerable.Range(0, events).GroupBy(number => number % 2))
        {
            string file = _folder[keys.Next(DateTimeOffset.FromUnixTimeSeconds(EventLines.Second))];
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            IEnumerable<string> lines = partition.Select(
                number => $$"""{"ts":{{EventLines.Second}},"ip":"192.0.2.1","user_agent":"test","body":"event {{number}}"}""" + "\n");
            File.WriteAllBytes(file, EventLines.Gzip(Encoding.UTF8.GetBytes(string.Concat(lines))));
        }

        return new FolderObjectStore(_folder.Path, TimeProvider.System);
    }

    private Task<bool> RunAsync(FolderObjectStore store, Target target)
    {
        var range = new KeyRange { Prefix = "raw/" };
        var settings = new IngestSettings
        {
            Store = store, Range = range, Requests = new RequestSettings { Filter = EventFilter.Of([], null), Range = range, MostEvents = 1 },
        };
        return new IngestReplay(settings, target, _state, _ => { }, TimeProvider.System)
        {
            OnFailed = (key, line, why) => Assert.Fail($"{key} {line}: {why}"), OnObject = _ => { },
        }.RunAsync(TestContext.Current.CancellationToken);
    }

    // Fails one request, by an error or by not taking it, and keeps the others' bodies.
    private sealed class Target(ConcurrentQueue<string> taken, Func<int, bool> fails, Exception? error = null) : IReplayTarget
    {
        private int _requests;

        public Task<ReplayAnswer> SendAsync(ReplayRequest request, CancellationToken asked)
        {
            if (fails(Interlocked.Increment(ref _requests)))
            {
                return error is null ? Task.FromResult(new ReplayAnswer(IsTaken: false, [], WasUncertain: false))
                    : Task.FromException<ReplayAnswer>(error);
            }

            taken.Enqueue(Encoding.UTF8.GetString(request.Content.Span).Trim());
            return Task.FromResult(new ReplayAnswer(IsTaken: true, [], WasUncertain: false));
        }
    }
}
