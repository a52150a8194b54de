// The DLQ for the operator: looking, trying now, giving up.
using System.IO.Enumeration;
using Estat.Base.Metrics;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Options;
using Estat.Collect.Uploading;
using Estat.Lake.Names;

namespace Estat.Collect.Recovery;

/// <summary>
/// Looks at files without disturbing recovery; whatever changes one does so under the same claim as recovery's own attempts. A listing costs a walk
/// over the names and one page of metas, however many files there are. Everything here touches the disk.
/// </summary>
public sealed partial class DlqOffice
{
    private const int LongestName = 200;

    private readonly CollectOptions _options;
    private readonly DlqDirectory _dlq;
    private readonly RecoveryLoop _recovery;
    private readonly IStoredObserver _observer;
    private readonly ObjectKeys _keys;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    internal DlqOffice(
        CollectOptions options, DlqDirectory dlq, RecoveryLoop recovery, IStoredObserver observer, ObjectKeys keys, TimeProvider time, ILogger logger)
    {
        _options = options;
        _dlq = dlq;
        _recovery = recovery;
        _observer = observer;
        _keys = keys;
        _time = time;
        _logger = logger;
    }

    /// <summary>One page of the files.</summary>
    /// <param name="limit">At most this many.</param>
    /// <param name="after">Names greater than this one; null from the first.</param>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public DlqPage List(int limit, string? after)
    {
        string from = after is null ? "" : ObjectKeys.NameOf(after);
        // The greatest of those kept is the first to go when a smaller one comes.
        var kept = new PriorityQueue<string, string>(limit + 1, Comparer<string>.Create(static (a, b) => string.CompareOrdinal(b, a)));
        foreach (string name in Names())
        {
            if (string.CompareOrdinal(name, from) > 0)
            {
                kept.Enqueue(name, name);
                if (kept.Count > limit + 1)
                {
                    kept.Dequeue();
                }
            }
        }

        bool more = kept.Count > limit;
        string[] names = [.. kept.UnorderedItems.Select(item => item.Element).Order(StringComparer.Ordinal).Take(limit)];
        return new DlqPage([.. names.Select(Read).OfType<DlqFile>()], more ? names[^1] : null, _dlq.Files);
    }

    /// <summary>One file; null when there is none of this name.</summary>
    public DlqFile? Find(string name) => IsName(ref name) ? Read(name) : null;

    /// <summary>A file's payload; null when there is none of this name.</summary>
    public FileStream? Open(string name)
    {
        if (!IsName(ref name))
        {
            return null;
        }

        try
        {
            return RecoveryLoop.Open(_dlq.PayloadPath(name));
        }
        catch (FileNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Tries a file now, whether it is due or not and however busy uploads are.</summary>
    public Task<OrderResult> RetryAsync(string name) =>
        IsName(ref name) ? _recovery.RetryAsync(_dlq.PayloadPath(name)) : Task.FromResult(new OrderResult(OrderEnd.Missing));

    /// <summary>Makes every file due now; recovery takes them in its own order.</summary>
    /// <returns>Files.</returns>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public int RetryAll()
    {
        int files = 0;
        DateTime now = _time.GetUtcNow().UtcDateTime;
        foreach (string name in Names())
        {
            files++;
            string meta = _dlq.PayloadPath(name) + DlqDirectory.MetaExtension;
            try
            {
                if (File.GetLastWriteTimeUtc(meta) > now)
                {
                    File.SetLastWriteTimeUtc(meta, now);
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // Recovered meanwhile, or without a meta that can be written, and due anyway.
            }
        }

        LogAllDue(_logger, files);
        return files;
    }

    /// <summary>Gives a file up for ever.</summary>
    /// <param name="name">Which.</param>
    /// <param name="events">What it holds: says that this file is meant.</param>
    /// <param name="asker">Who wants it, for the log.</param>
    public OrderResult Discard(string name, long events, string asker)
    {
        if (!IsName(ref name))
        {
            return new OrderResult(OrderEnd.Missing);
        }

        string payload = _dlq.PayloadPath(name);
        using Claims.Claim? claim = _recovery.TryClaim(payload, out OrderResult? refusal);
        if (claim is null)
        {
            return refusal!;
        }

        try
        {
            if (!File.Exists(payload))
            {
                return new OrderResult(OrderEnd.Missing);
            }

            DlqMeta? meta = DlqDirectory.ReadMeta(payload);
            string key = meta?.Key ?? _keys.ForName(name, ObjectKeys.OpenedOf(name) ?? File.GetLastWriteTimeUtc(payload)); // as in recovery
            long held = meta?.NumEvents ?? ContentCheck.SealOf(() => RecoveryLoop.Open(payload)).Events;
            if (held != events)
            {
                return new OrderResult(OrderEnd.OtherCount, held);
            }

            _dlq.Discarded.Add(name); // first: a twin in the spool must find it here whatever ends the process
            if (_dlq.Remove(payload, held, Place.Dropped) is null)
            {
                return new OrderResult(OrderEnd.Missing);
            }

            LogDiscarded(_logger, asker, payload, held);
            _observer.OnSafe(key); // a copy on another silo goes as well, or it would store what was given up
            return new OrderResult(OrderEnd.Discarded, held);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            LogDiscardFailed(_logger, payload, error.Message);
            return new OrderResult(OrderEnd.Failed, Detail: $"{error.Message} Check the disk and the permissions of DLQ_DIR.");
        }
    }

    // With or without extension. Nothing that could lead out of the folder, or to what is no payload.
    private static bool IsName(ref string name)
    {
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-' or '.'))
            {
                return false;
            }
        }

        name = ObjectKeys.NameOf(name);
        return name.Length is > 0 and <= LongestName && name[0] != '.';
    }

    // Every name counts, but only payloads become strings.
    private FileSystemEnumerable<string> Names() =>
        new(_dlq.Way, static (ref FileSystemEntry entry) => entry.FileName[..^ObjectKeys.Extension.Length].ToString())
        {
            ShouldIncludePredicate = static (ref FileSystemEntry entry) =>
                entry.FileName.EndsWith(ObjectKeys.Extension, StringComparison.Ordinal) && !entry.FileName.StartsWith('.'),
        };

    private DlqFile? Read(string name)
    {
        string payload = _dlq.PayloadPath(name);
        var file = new FileInfo(payload);
        if (!file.Exists)
        {
            return null;
        }

        (DlqMeta? meta, string? trouble, _) = DlqDirectory.LookAtMeta(payload);
        DateTimeOffset opened = meta?.Created ?? ObjectKeys.OpenedOf(name) ?? file.LastWriteTimeUtc;
        DateTime due = File.GetLastWriteTimeUtc(payload + DlqDirectory.MetaExtension); // which "all are due" moves, and not what the meta says
        TimeSpan age = _time.GetUtcNow() - opened;
        return new DlqFile(
            name, meta?.Key ?? _keys.ForName(name, opened), meta?.NumEvents
                ?? 0, file.Length, Moments.ToMilliseconds(opened), Math.Round(age.TotalSeconds, 1),
            meta?.Reason ?? trouble!, meta?.Attempts ?? 0,
            meta is null || due <= _time.GetUtcNow().UtcDateTime ? null : Moments.ToMilliseconds(due), age >= _options.DlqMaxAge,
            meta?.Form == BatchForm.Raw ? "raw" : "gzip");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Files} files of the DLQ are due now: the node tries all of them")]
    private static partial void LogAllDue(ILogger logger, int files);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Asker} discarded {Payload}: {Events} events are lost, and are counted as dropped")]
    private static partial void LogDiscarded(ILogger logger, string asker, string payload, long events);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not discard {Payload}: {Error}")]
    private static partial void LogDiscardFailed(ILogger logger, string payload, string error);
}
