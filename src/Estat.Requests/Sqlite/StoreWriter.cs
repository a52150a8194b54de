// The one thread that writes: what has gathered goes into one transaction, and one sync serves all of it.
using System.Diagnostics;
using Estat.Base.Threading;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Sqlite;

/// <summary>
/// A turn: begin, other writes, decisions, submissions, commit; then everybody is told. When a turn
/// fails, all of it is undone. After a commit of which nobody knows whether it is on the disk, the writer takes nothing more: what SQLite has in
/// memory and what lies on the disk may differ, and a restart finds out.
/// </summary>
internal sealed partial class StoreWriter
{
    // Submissions in a transaction: some ten milliseconds' worth.
    private const int MostSubmissions = 1_000;

    // A transaction takes some ten milliseconds. Who waits for one that hangs may have been taken; nobody else shall wait with them.
    private static readonly TimeSpan LongestTurn = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(1);

    // While requests wait for a moment to come.
    private static readonly TimeSpan WhileWaiting = TimeSpan.FromMilliseconds(100);

    // After a transaction that failed, before decisions are tried again.
    private static readonly TimeSpan AfterFailure = TimeSpan.FromSeconds(1);

    private readonly StoreTransaction _transaction;
    private readonly WriteQueue _queue;
    private readonly DecidingStep _deciding;
    private readonly DueStep _leases;
    private readonly StorePlace _place;
    private readonly Action<IReadOnlyList<Campaign>, IReadOnlyList<RequestRecord>> _onCommitted;
    private readonly ILogger _logger;
    private readonly List<PendingAcceptance> _submissions = [];
    private readonly List<StoreWrite> _writes = [];
    private readonly List<Campaign> _changedCampaigns = [];
    private volatile string? _fault;
    private volatile bool _isUnknown;
    private long _decideNotBefore;
    private long _turnBegan;

    /// <param name="transaction">Over the one connection that writes.</param>
    /// <param name="queue">What waits.</param>
    /// <param name="steps">The decider, and what ends leases.</param>
    /// <param name="place">Where the database lies.</param>
    /// <param name="onCommitted">Told after each commit what changed, before who waits is told.</param>
    /// <param name="logger">Where failures are told.</param>
    internal StoreWriter(
        StoreTransaction transaction, WriteQueue queue, (DecidingStep Deciding, DueStep Leases) steps, StorePlace place,
        Action<IReadOnlyList<Campaign>, IReadOnlyList<RequestRecord>> onCommitted, ILogger logger)
    {
        _transaction = transaction;
        _queue = queue;
        (_deciding, _leases) = steps;
        _place = place;
        _onCommitted = onCommitted;
        _logger = logger;
    }

    /// <summary>Why nothing is taken: for good, or as long as the disk hangs; null while it is taken.</summary>
    internal string? Fault => _fault ?? (Volatile.Read(ref _turnBegan) is not 0 and var began && Stopwatch.GetElapsedTime(began) > LongestTurn
        ? "the database hangs: look at the disk of REQUESTS_DIR" : null);

    /// <summary>What is said of submissions while there is a fault: after a commit of which nobody knows, nobody knows what is there.</summary>
    internal AcceptanceOutcome RefusalNow => _isUnknown ? AcceptanceOutcome.Unknown : AcceptanceOutcome.NotTaken;

    /// <summary>Begins.</summary>
    /// <returns>Ends when the queue is closed and empty.</returns>
    internal Task Start() => OwnThread.Run("requests-writer", Run);

    private void Run()
    {
        while (true)
        {
            _submissions.Clear();
            _writes.Clear();
            if (!_queue.Take(MostSubmissions, _submissions, _writes, Patience()))
            {
                return;
            }

            if (_fault is null && Look() is { } gone)
            {
                _fault = $"{gone}. Put it back, and restart the node";
                LogGone(_logger, gone);
            }

            if (_fault is { } fault)
            {
                Refuse(new StoreException(fault), RefusalNow);
                continue;
            }

            Volatile.Write(ref _turnBegan, Stopwatch.GetTimestamp());
            Turn();
            Volatile.Write(ref _turnBegan, 0);
        }
    }

    // Nobody would hear of this thread's end: who waits would wait for ever.
    private string? Look()
    {
        try
        {
            return _place.Look();
        }
        catch (Exception error)
        {
            return $"REQUESTS_DIR cannot be looked at ({error.Message.TrimEnd('.')})";
        }
    }

    private TimeSpan Patience()
    {
        if (_fault is not null)
        {
            return Idle;
        }

        bool mayDecide = Stopwatch.GetTimestamp() >= _decideNotBefore;
        return _deciding.HasMore && mayDecide ? TimeSpan.Zero : _transaction.Waiting > 0 || _deciding.HasMore ? WhileWaiting : Idle;
    }

    private void Turn()
    {
        bool isCommitting = false;
        try
        {
            _transaction.Begin();
            long began = Stopwatch.GetTimestamp();
            _leases.Run(_transaction);
            foreach (StoreWrite write in _writes)
            {
                write.Apply(_transaction);
            }

            long other = Stopwatch.GetTimestamp() - began;
            if (began >= _decideNotBefore)
            {
                _deciding.Run(_transaction, _submissions.Count > 0);
            }

            began = Stopwatch.GetTimestamp();
            foreach (PendingAcceptance pending in _submissions)
            {
                pending.Apply(_transaction, _place.IsShort);
            }

            isCommitting = true;
            _changedCampaigns.Clear();
            _transaction.Commit(_changedCampaigns);
            if (_submissions.Count + _writes.Count > 0)
            {
                _deciding.OnWorked(other + Stopwatch.GetTimestamp() - began);
            }
        }
        catch (Exception error)
        {
            OnFailed(error, isCommitting);
            return;
        }

        try
        {
            _onCommitted(_changedCampaigns, _transaction.Changed);
        }
        catch (Exception error)
        {
            // Who waits must hear of the commit all the same.
            LogObserverFailed(_logger, error);
        }

        _writes.ForEach(write => write.Complete());
        _submissions.ForEach(pending => pending.Complete());
    }

    private void OnFailed(Exception error, bool isCommitting)
    {
        bool isFull = error is StoreException { IsFull: true };
        bool isUnknown = isCommitting && !isFull;
        _decideNotBefore = Stopwatch.GetTimestamp() + (long)(AfterFailure.TotalSeconds * Stopwatch.Frequency);
        try
        {
            _transaction.RollBack();
        }
        catch (StoreException another)
        {
            LogRollBackFailed(_logger, another);
            isUnknown = true;
        }

        if (isUnknown)
        {
            _isUnknown = true;
            _fault = $"the database failed ({error.Message}). Restart the node once its disk is well";
            LogFailedForGood(_logger, error);
        }
        else
        {
            LogTurnFailed(_logger, error);
        }

        Refuse(
            error as StoreException is { } known ? new StoreException(known.Message, isUnknown, known) { IsFull = isFull }
                : new StoreException(error.Message, isUnknown, error),
            isUnknown ? AcceptanceOutcome.Unknown : isFull ? AcceptanceOutcome.StorageFull : AcceptanceOutcome.NotTaken);
    }

    private void Refuse(StoreException error, AcceptanceOutcome outcome)
    {
        _writes.ForEach(write => write.Fail(error));
        _submissions.ForEach(pending => pending.Complete(outcome));
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The database of requests refused a transaction: nothing of it was taken. Look at the disk of "
        + "REQUESTS_DIR")]
    private static partial void LogTurnFailed(ILogger logger, Exception error);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The database of requests failed at a commit: nobody knows whether it is on the disk. The "
        + "node takes no more requests. Restart it once the disk of REQUESTS_DIR is well")]
    private static partial void LogFailedForGood(ILogger logger, Exception error);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The database of requests is gone: {What}. The node takes no more requests. Put it back, and "
        + "restart the node")]
    private static partial void LogGone(ILogger logger, string what);

    [LoggerMessage(Level = LogLevel.Critical, Message = "What is kept in memory of requests may be old: restart the node")]
    private static partial void LogObserverFailed(ILogger logger, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The database of requests could not undo a transaction")]
    private static partial void LogRollBackFailed(ILogger logger, Exception error);
}
