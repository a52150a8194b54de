// The spool's disk: whether it has room, fails, or hangs.
using Estat.Base.Files;
using Estat.Base.Journal;

namespace Estat.Collect.Spooling;

internal sealed partial class Spool
{
    /// <summary>
    /// Keeps an eye on the disk until cancelled. Nothing is written while new requests are turned away, so nothing else would ever notice that there
    /// is room again, or that the disk works; and a call that hangs, a sync or the guard's own, reports nothing.
    /// </summary>
    /// <param name="onFull">Called every second while the spool is full or its folder is gone: open batches must leave.</param>
    /// <param name="onLooked">Called after each look at the folder, without a lock: what waits in it may be gone as well.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task GuardAsync(Action onFull, Action onLooked, CancellationToken cancellationToken)
    {
        using var ticks = new PeriodicTimer(GuardInterval, _time);
        Task<bool> tick = ticks.WaitForNextTickAsync(cancellationToken).AsTask();
        Task measuring = Task.CompletedTask;
        Task probing = Task.CompletedTask;
        while (await tick.ConfigureAwait(false))
        {
            tick = ticks.WaitForNextTickAsync(cancellationToken).AsTask();
            measuring = await TryUntilAsync(tick, measuring, "measuring", Measure).ConfigureAwait(false);
            CheckHanging();
            TellOfRoom();
            BeginLook(onLooked);
            if (IsFull || IsGone)
            {
                onFull();
            }

            if (IsFailing && !_hangs && !IsGone)
            {
                probing = await TryUntilAsync(tick, probing, "probing", Probe).ConfigureAwait(false);
            }
        }
    }

    // One that hangs is left behind, and counts as a sync that hangs does.
    private async Task<Task> TryUntilAsync(Task tick, Task last, string what, Action call)
    {
        if (last.IsCompleted)
        {
            last = Task.Run(() =>
            {
                OnSyncing(what, begins: true);
                call();
                OnSyncing(what, begins: false);
            });
        }

        await Task.WhenAny(last, tick).ConfigureAwait(false);
        if (last.IsCompleted)
        {
            await last.ConfigureAwait(false);
        }

        return last;
    }

    /// <summary>A writer begins (true) or ends a sync.</summary>
    internal void OnSyncing(object writer, bool begins)
    {
        if (begins)
        {
            _syncing[writer] = _time.GetTimestamp();
        }
        else
        {
            _syncing.TryRemove(writer, out _);
        }
    }

    /// <summary>A segment grew, or shrank.</summary>
    internal void OnGrown(long bytes)
    {
        Interlocked.Add(ref _bytes, bytes);
        if (Interlocked.Add(ref _unmeasured, bytes) >= MeasureEveryBytes)
        {
            Measure();
        }
    }

    /// <summary>A write or sync failed.</summary>
    internal void OnFailed(string segment, Exception error)
    {
        int failures = Interlocked.Increment(ref _failures);
        LogFailed(_logger, segment, error.Message);
        if (failures == FailuresUntilUnready)
        {
            LogFailing(_logger, Folder, DiskAdvice.For(error, Folder));
        }

        Measure();
    }

    /// <summary>A seal could not be written; its batch is uploaded from memory.</summary>
    internal void OnSealFailed(string segment, Exception error)
    {
        Interlocked.Increment(ref _failures);
        LogSealFailed(_logger, segment, error.Message);
    }

    /// <summary>A sync succeeded.</summary>
    internal void OnSynced()
    {
        if (Volatile.Read(ref _failures) != 0 && Interlocked.Exchange(ref _failures, 0) >= FailuresUntilUnready)
        {
            LogWorksAgain(_logger, Folder);
        }
    }

    /// <summary>Looks how much room the disk has.</summary>
    internal void Measure()
    {
        Volatile.Write(ref _unmeasured, 0);
        try
        {
            Volatile.Write(ref _freeBytes, _files.FreeBytes());
            _freeUnknown.End();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            if (_freeUnknown.IsNews())
            {
                LogFreeSpaceUnknown(_logger, Folder, error.Message);
            }
        }
    }

    // Told when it changes: clients are answered 503 for it, and nothing else in the log would say why.
    private void TellOfRoom()
    {
        bool isFull = IsFull;
        if (isFull == _wasFull)
        {
            return;
        }

        _wasFull = isFull;
        if (isFull)
        {
            LogFull(_logger, Folder, Bytes, FreeBytes);
        }
        else
        {
            LogRoomAgain(_logger, Folder, Bytes, FreeBytes);
        }
    }

    private void CheckHanging()
    {
        bool hangs = _syncing.Values.Any(since => _time.GetElapsedTime(since) > HangsAfter);
        if (hangs != _hangs)
        {
            _hangs = hangs;
            if (hangs)
            {
                LogHangs(_logger, Folder, HangsAfter.TotalSeconds);
            }
            else
            {
                LogWorksAgain(_logger, Folder);
            }
        }
    }

    private void Probe()
    {
        try
        {
            _files.Delete(ProbeName);
            using (IJournalFile file = _files.Create(ProbeName))
            {
                file.Write(0, new byte[4096]);
                file.Sync();
            }

            _files.Delete(ProbeName);
            OnSynced();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            LogStillFailing(_logger, Folder, error.Message);
        }
    }
}
