// Work on files whose calls do not come back keeps nobody waiting.
using Estat.Base.Files;

namespace Estat.Base.Tests.Files;

public sealed class FileChoreTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private readonly ManualTimeProvider _time = new();
    private readonly SemaphoreSlim _gate = new(0);
    private readonly List<bool> _rounds = [];
    private int _hangs;

    public void Dispose() => _gate.Dispose();

    [Fact]
    public async Task A_round_that_hangs_is_told_once_leaves_the_next_ones_out_and_ends_nothing()
    {
        using var chore = new FileChore(Second, _time, Round, () => _hangs++);
        chore.Start();
        for (int n = 0; n < 10; n++)
        {
            _time.Advance(Second); // on the test's thread, which a round must not hold
        }

        Assert.True(chore.Hangs);
        Assert.Equal(1, _hangs);
        _gate.Release(2);
        await chore.Round.WaitAsync(Limit);
        Assert.False(chore.Hangs);
        _time.Advance(Second);
        await chore.Round.WaitAsync(Limit);
        Assert.Equal([false, false], _rounds);
    }

    [Fact]
    public async Task Who_asks_gets_a_round_that_begins_afterwards()
    {
        using var chore = new FileChore(Second, _time, Round, () => _hangs++);
        chore.Start();
        _time.Advance(Second);
        chore.Ask();
        chore.Ask();
        _gate.Release(2);
        await chore.Round.WaitAsync(Limit);
        Assert.Equal([false, true], _rounds);
    }

    [Fact]
    public async Task The_end_has_a_last_round_if_one_is_wanted_and_leaves_behind_what_hangs()
    {
        var chore = new FileChore(Second, _time, Round, () => _hangs++);
        chore.Start();
        _gate.Release();
        chore.End(withLastRound: true);
        await Wait.UntilAsync(() => _rounds.Count == 1, Limit, "the last round");

        var hanging = new FileChore(Second, _time, Round, () => _hangs++);
        hanging.Start();
        _time.Advance(Second);
        await Task.Run(hanging.Dispose).WaitAsync(Limit);
        Assert.False(hanging.Round.IsCompleted);
        hanging.Ask(); // comes too late
        _gate.Release();
        await hanging.Round.WaitAsync(Limit);
        Assert.Equal(2, _rounds.Count);
    }

    private void Round(bool isAsked)
    {
        _gate.Wait();
        _rounds.Add(isAsked);
    }
}
