// The table as a node sees it: looked at again and again.
using Estat.Base.Logging;
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Deciding;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Hosting;

/// <summary>
/// One task reads the campaigns twice a second, and sooner when somebody asks; after each look, deciders take and leave campaigns. That the table is
/// away is told once, and that it is back. Members are for any thread.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="book">The campaigns.</param>
/// <param name="clock">How far this node's clock is off.</param>
/// <param name="deciders">Who decides here.</param>
/// <param name="logger">Where transitions are told.</param>
internal sealed partial class TableWatch(DynamoTable table, CampaignBook book, StoreClock clock, DeciderOffice deciders, ILogger logger)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(500);

    // However many ask for campaigns that do not exist.
    private static readonly TimeSpan LeastBetweenLooks = TimeSpan.FromMilliseconds(100);

    // Without any answer for so long, the table is away.
    private static readonly TimeSpan MostSilent = TimeSpan.FromSeconds(5);

    private readonly ToldFault _trouble = new();
    private readonly AsyncBell _asks = new();
    private volatile TaskCompletionSource _next = NewLook();
    private volatile string? _lookFault = "the table was not read yet";
    private bool _wasHeld;

    /// <summary>Why requests are not accepted and not decided; null while they are.</summary>
    internal string? Fault => clock.Difference is var off && off.Duration() > StoreClock.Most
            ? $"this node's clock is {off.Duration().TotalSeconds:0.0} s {(off > TimeSpan.Zero ? "behind" : "ahead of")} DynamoDB's: set it (NTP)"
        : table.Counters.SinceAnswer > MostSilent ? _lookFault ?? $"{table.Description} does not answer"
        : _lookFault;

    /// <summary>Ends with a look that begins after this call; all who ask meanwhile share it.</summary>
    /// <exception cref="StoreException">The table cannot be read.</exception>
    internal Task NextAsync()
    {
        Task look = _next.Task;
        _asks.Set();
        return look;
    }

    /// <summary>Looks until it is cancelled.</summary>
    internal async Task RunAsync(CancellationToken ending)
    {
        try
        {
            await LookAgainAndAgainAsync(ending).ConfigureAwait(false);
        }
        finally
        {
            _next.TrySetException(new StoreException("The node ends"));
        }
    }

    private static TaskCompletionSource NewLook()
    {
        var look = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        look.Task.ContinueWith(
            static failed => failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        return look;
    }

    private async Task LookAgainAndAgainAsync(CancellationToken ending)
    {
        while (!ending.IsCancellationRequested)
        {
            TaskCompletionSource look = _next;
            _next = NewLook(); // who asks from now on may have missed this one
            try
            {
                await book.LookAsync(ending).ConfigureAwait(false);
                _lookFault = null;
                TellHeld();
                look.SetResult();
                if (clock.Difference.Duration() <= StoreClock.Most)
                {
                    // With a clock that is off, nothing more: it would close campaigns and end leases by it.
                    await deciders.LookAsync(ending).ConfigureAwait(false);
                }

                if (_trouble.Lasts)
                {
                    _trouble.End();
                    LogWorks(logger, table.Description);
                }

                await Task.Delay(LeastBetweenLooks, ending).ConfigureAwait(false);
                await _asks.WaitAsync(BetweenLooks - LeastBetweenLooks, ending).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (ending.IsCancellationRequested)
            {
                look.TrySetException(new StoreException("The node ends"));
                return;
            }
            catch (Exception error)
            {
                _lookFault = error.Message;
                look.TrySetException(error as StoreException ?? new StoreException(error.Message, inner: error));
                if (_trouble.IsNews())
                {
                    LogFails(logger, error.Message);
                }

                await Task.Delay(BetweenLooks, CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    private void TellHeld()
    {
        bool isHeld = book.Store is { IsHeld: true };
        if (isHeld && !_wasHeld)
        {
            LogHeld(logger, table.Description);
        }

        _wasHeld = isHeld;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Table} was restored from a backup: its nodes decide, but accept nothing. Look at it, then "
        + "run `estat requests restore-table --resume`")]
    private static partial void LogHeld(ILogger logger, string table);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Requests are not accepted and not decided: {Error}")]
    private static partial void LogFails(ILogger logger, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Requests are accepted and decided again: {Table} answers")]
    private static partial void LogWorks(ILogger logger, string table);
}
