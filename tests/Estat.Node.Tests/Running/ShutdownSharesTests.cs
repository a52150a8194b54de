// SHUTDOWN_TIMEOUT holds for every end, and is shared out so that the process itself has time to end.
using Estat.Base.Threading;
using Estat.Node.Running;

namespace Estat.Node.Tests.Running;

public sealed class ShutdownSharesTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private readonly ManualTimeProvider _time = new();
    private readonly LogLines _log = new();

    public void Dispose() => _log.Dispose();

    [Fact]
    public void A_stop_that_no_signal_asked_for_has_the_same_limit()
    {
        using var limit = new ExitLimit(TimeSpan.FromHours(1), 1, "not in this test's time");
        using var signals = new StopSignals(TimeProvider.System, limit);
        Assert.False(limit.HasBegun);

        signals.Stop("a fault that ends the process");

        Assert.True(limit.HasBegun);
    }

    [Fact]
    public void The_drain_leaves_the_listener_and_the_process_their_time()
    {
        ShutdownShares end = New();
        end.Begin();
        Assert.Equal(TimeSpan.FromSeconds(1), end.ListenerStop);
        Assert.Equal(Limit - end.ListenerStop - ShutdownShares.Reserve, end.LeftForDrain(TimeSpan.Zero));
        Assert.Equal(TimeSpan.FromSeconds(5), end.LeftForListener); // at most, whatever is left
        _time.Advance(TimeSpan.FromSeconds(4));
        end.Begin(); // what began once goes on
        Assert.Equal(TimeSpan.FromSeconds(4) - ShutdownShares.Reserve, end.LeftForDrain(TimeSpan.FromSeconds(1)));
        Assert.Equal(TimeSpan.FromSeconds(5) - ShutdownShares.Reserve, end.LeftForListener); // one second is kept for what ends after it
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(TimeSpan.FromSeconds(2) - ShutdownShares.Reserve, end.LeftForListener);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(end.ListenerStop, end.LeftForListener);
        Assert.Equal(TimeSpan.Zero, end.LeftForDrain(TimeSpan.Zero));
    }

    [Fact]
    public async Task What_does_not_end_is_left_behind_and_told()
    {
        ShutdownShares end = New();
        end.Begin();
        var never = new TaskCompletionSource();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<bool> ending = end.TryAsync("close what hangs", TimeSpan.FromSeconds(2), _ =>
        {
            begun.SetResult();
            return never.Task;
        });
        await begun.Task;
        await Wait.UntilAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return ending.IsCompleted;
            },
            TimeSpan.FromSeconds(30), "the end to be given up");
        Assert.False(await ending);
        Assert.True(await end.TryAsync("close what fails", TimeSpan.FromSeconds(2), _ => throw new InvalidOperationException("a fault")));
        Assert.Equal(
            [
                "Warning: Could not close what hangs within 2.0 s, its part of SHUTDOWN_TIMEOUT=10s. The process ends without that. Nothing is lost",
                "Warning: Could not close what fails cleanly: a fault. Nothing is lost",
            ], _log.Lines);
    }

    private ShutdownShares New() => new(Limit, _time, _log.CreateLogger(""));
}
