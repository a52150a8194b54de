// What keeps the embedded log's folder in order, once a second.
namespace Estat.Topics.Embedded;

/// <content>One task, and one at a time that asks the disk, which may hang.</content>
internal sealed partial class EmbeddedLog
{
    // A sync that takes longer is no sync any more.
    private static readonly TimeSpan Hung = TimeSpan.FromSeconds(5);

    private async Task KeepAsync(CancellationToken ending)
    {
        Task keeping = Task.CompletedTask;
        long ended = _trouble.Ended;
        long movedAt = TimeProvider.System.GetTimestamp(); // how long a disk hangs is the machine's matter
        long askedAt = movedAt;
        while (!ending.IsCancellationRequested)
        {
            await Task.Delay(Step, ending).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (Journal.WaitingBytes == 0 || _trouble.Ended != ended)
            {
                (ended, movedAt) = (_trouble.Ended, TimeProvider.System.GetTimestamp());
            }

            if (keeping.IsCompleted)
            {
                askedAt = TimeProvider.System.GetTimestamp();
                keeping = Task.Run(TryKeepAsync, CancellationToken.None);
            }

            TimeSpan waited = TimeProvider.System.GetElapsedTime(Math.Min(movedAt, keeping.IsCompleted ? long.MaxValue : askedAt));
            _trouble.OnWaited(waited > Hung ? waited : null);
        }

        await Task.WhenAny(keeping, Task.Delay(Hung, CancellationToken.None)).ConfigureAwait(false);
    }

    private async Task TryKeepAsync()
    {
        try
        {
            await KeepOnceAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            if (_notKept.IsNews(error.Message))
            {
                LogNotKept(_logger, error is IOException ? null : error, Description, error.Message);
            }
        }
    }

    /// <summary>Looks at the folder, lets go of what may go, and saves the index.</summary>
    internal async Task KeepOnceAsync()
    {
        string? fault = _folder.Look() ?? (Journal.FindMissing() is { } name ? $"{name} was removed from TOPICS_DIR ({Description})" : null);
        if (fault is not null && _fault is null)
        {
            LogLost(_logger, fault);
        }

        _fault = fault;
        if (fault is not null)
        {
            return;
        }

        if (_trouble.IsFailing)
        {
            await MarkAsync([]).ConfigureAwait(false); // whether it works again, though nobody sends anything
            _trouble.OnAppended();
        }

        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            DateTimeOffset now = DateTimeOffset.FromUnixTimeMilliseconds(Now());
            long? keys = _state.Index.FirstKeysSince((now - _options.Dedup).ToUnixTimeMilliseconds());
            if (_retention.Run(_table, now, keys, trim => Change(_file with { Trim = trim })))
            {
                await MarkAsync([]).ConfigureAwait(false);
            }
        }
        finally
        {
            _changing.Release();
        }

        _state.SaveIndex(always: false);
        _notKept.End();
        TellClock();
    }

    private void TellClock()
    {
        bool isAhead = _state.Numbers.LastTime - _time.GetUtcNow().ToUnixTimeMilliseconds() > LogClock.Jump.TotalMilliseconds;
        if (!isAhead && !_state.Numbers.IsClockDoubted)
        {
            _clockTold.End();
        }
        else if (_clockTold.IsNews())
        {
            LogClockWrong(_logger, DateTimeOffset.FromUnixTimeMilliseconds(_state.Numbers.LastTime), _time.GetUtcNow());
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not keep the log in {Folder} in order; trying again in a second: {Error}")]
    private static partial void LogNotKept(ILogger logger, Exception? bug, string folder, string error);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The log takes no more messages: {Fault}. Put it back, or restart the node")]
    private static partial void LogLost(ILogger logger, string fault);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "The machine's clock says {Clock:u}, and the last message of the log is of {Last:u}: set the clock right."
        + " Times of messages do not go back, and a jump forward of more than 5 minutes is believed after 10")]
    private static partial void LogClockWrong(ILogger logger, DateTimeOffset last, DateTimeOffset clock);
}
