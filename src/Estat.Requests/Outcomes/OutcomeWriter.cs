// Brings outcomes to the lake, each once.
using System.Diagnostics;
using System.Globalization;
using Estat.Base.Logging;
using Estat.Base.Memory;
using Estat.Base.Storage;
using Estat.Lake.Names;
using Estat.Requests.Options;
using Estat.Requests.Storing;
using Estat.Requests.Tracing;

namespace Estat.Requests.Outcomes;

/// <summary>
/// A batch is durable in the store, with its number and its time, before it is put; its key follows from those. So a batch that is put again after a
/// lost answer or a kill meets itself: the key is taken by an object with the same hash, and it is done. An object with another hash is somebody
/// else's: that is an alarm, and the batch waits.
/// </summary>
/// <param name="requests">Where outcomes come from.</param>
/// <param name="lake">Where they go.</param>
/// <param name="prefix">RAW_PREFIX: outcomes go under <c>&lt;prefix&gt;_outcomes</c>.</param>
/// <param name="options">How often, and how many.</param>
/// <param name="traced">Which requests are traced.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where failures are told.</param>
internal sealed partial class OutcomeWriter(
    IRequestStore requests, IObjectStore lake, string prefix, RequestsOptions options, TracedRequests traced, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private long _stored;
    private long _conflicts;
    private readonly ToldFault _trouble = new();

    /// <summary>Outcomes that this process has brought to the lake.</summary>
    internal long Stored => Volatile.Read(ref _stored);

    /// <summary>How often outcomes go there at least, while there are any.</summary>
    internal TimeSpan Interval => options.OutcomeInterval;

    /// <summary>Objects of somebody else's that were met under a batch's key.</summary>
    internal long Conflicts => Volatile.Read(ref _conflicts);

    /// <summary>The key of a batch.</summary>
    internal static string KeyOf(string prefix, OutcomeBatch batch) => new ObjectKeys(prefix + "_outcomes", batch.Epoch).ForName(
        string.Create(CultureInfo.InvariantCulture, $"{batch.CutAt.ToUnixTimeSeconds()}_{batch.Epoch}_{batch.Number}"), batch.CutAt);

    /// <summary>Runs until it is cancelled.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        TimeSpan pause = Look;
        while (!cancellationToken.IsCancellationRequested)
        {
            TimeSpan step = options.OutcomeInterval < pause && !_trouble.Lasts ? options.OutcomeInterval : pause;
            await Task.Delay(step, time, cancellationToken).ConfigureAwait(false);
            if (!IsDue())
            {
                continue;
            }

            bool isWell = await TryWriteAllAsync(cancellationToken).ConfigureAwait(false);
            pause = isWell ? Look : pause * 2 < LongestPause ? pause * 2 : LongestPause;
        }
    }

    /// <summary>Brings everything that waits to the lake, or as much as goes.</summary>
    /// <returns>Whether nothing failed.</returns>
    internal async Task<bool> TryWriteAllAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await requests.NextOutcomesAsync(options.OutcomeBatch).ConfigureAwait(false) is { } batch)
            {
                if (!await TryWriteAsync(batch, cancellationToken).ConfigureAwait(false))
                {
                    return false;
                }
            }

            if (_trouble.Lasts)
            {
                _trouble.End();
                LogWorks(logger);
            }

            return true;
        }
        catch (Exception error) when (error is StorageException or StoreException)
        {
            if (_trouble.IsNews())
            {
                LogFails(logger, error.Message);
            }

            return false;
        }
    }

    // Full batches go at once; others once the oldest has waited for the interval, so that a quiet campaign makes few objects.
    private bool IsDue()
    {
        PendingOutcomes pending = requests.PendingOutcomes;
        return pending.Count >= options.OutcomeBatch || (pending.Oldest is { } oldest && time.GetUtcNow() - oldest >= options.OutcomeInterval);
    }

    private async Task<bool> TryWriteAsync(OutcomeBatch batch, CancellationToken cancellationToken)
    {
        string key = KeyOf(prefix, batch);
        using var gzip = new PooledStream();
        ObjectContent content = OutcomeLines.ContentOf(batch, gzip);
        if (!await IsCreatedAsync(key, content, batch, cancellationToken).ConfigureAwait(false))
        {
            Interlocked.Increment(ref _conflicts);
            if (_trouble.IsNews(key))
            {
                LogConflict(logger, key);
            }

            return false;
        }

        await requests.OutcomesStoredAsync(batch).ConfigureAwait(false);
        Interlocked.Add(ref _stored, batch.Outcomes.Count);
        return true;
    }

    // False when another object is there.
    private async Task<bool> IsCreatedAsync(string key, ObjectContent content, OutcomeBatch batch, CancellationToken cancellationToken)
    {
        using Activity? span = traced.Uploading(key, batch);
        try
        {
            bool isThere = await lake.CreateAsync(key, content, cancellationToken).ConfigureAwait(false) != CreateOutcome.Exists
                || (await lake.ReadSealAsync(key, cancellationToken).ConfigureAwait(false))?.Sha256 == content.Seal.Sha256;
            span?.SetStatus(isThere ? ActivityStatusCode.Unset : ActivityStatusCode.Error, isThere ? null : "another object has this key");
            return isThere;
        }
        catch (StorageException error)
        {
            span?.SetStatus(ActivityStatusCode.Error, error.Message);
            throw;
        }
    }

    [LoggerMessage(Level = LogLevel.Critical,
        Message = "The lake holds another object under {Key}, which only this store should write. Outcomes wait. Find out what "
            + "else writes there, and move that object away")]
    private static partial void LogConflict(ILogger logger, string key);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Outcomes cannot go to the lake and wait in the database: {Error}")]
    private static partial void LogFails(ILogger logger, string error);

    [LoggerMessage(Level = LogLevel.Information, Message = "Outcomes go to the lake again")]
    private static partial void LogWorks(ILogger logger);
}
