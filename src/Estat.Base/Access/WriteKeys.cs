// The write keys of a node: read at start, read again when their file changes.
using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using Estat.Base.Files;
using Estat.Base.Logging;
using Estat.Base.Metrics;
using Estat.Base.Options;

namespace Estat.Base.Access;

/// <summary>
/// Holds the table that requests look keys up in, and replaces it as a whole. A file that turned unusable, or went away, changes nothing but the log.
/// What keys have used of their day is written every second, so a crash forgets a second of it at the most; a drain forgets nothing.
/// </summary>
public sealed partial class WriteKeys : IDisposable
{
    /// <summary>Keys that have metrics under their own names, from the process' start on; all others share <see cref="OtherLabel"/>.</summary>
    public const int MostLabels = 100;

    /// <summary>The label of keys beyond <see cref="MostLabels"/>.</summary>
    public const string OtherLabel = "(other)";

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly WriteKeyOptions _options;
    private readonly FileChore? _looking;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    // touched by the thread that adopts keys: the constructor, then the looks
    private readonly Dictionary<string, WriteKeyUsage> _records = new(StringComparer.Ordinal);
    private readonly SenderCounts _otherCounts = new(OtherLabel);
    private volatile SenderCounts[] _counts = []; // replaced as a whole: a scrape waits for nobody
    private readonly IReadOnlyList<WriteKey> _listed;
    private readonly ToldFault _trouble = new();
    private readonly StripedCounter[] _failures = [.. Enum.GetValues<KeyRefusal>().Select(_ => new StripedCounter())];
    private PosixSignalRegistration? _hangUp;
    private FileChore? _saving;
    private byte[] _seen = [];
    private long _troubles;
    private int _labels;
    private volatile SenderTable _table;

    private WriteKeys(WriteKeyOptions options, TimeProvider time, ILogger logger)
    {
        _options = options;
        _time = time;
        _logger = logger;
        _looking = options.File is null ? null
            : new FileChore(LookInterval, time, Look, () => OnTrouble("reading it hangs; check its disk", isAsked: false));
        _listed = options.Listed;
        _table = new SenderTable([]);
        try
        {
            _seen = options.File is { } file ? ReadFile(file) : [];
            Adopt(Combine(_seen));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or WriteKeyException)
        {
            throw new OptionException($"{Source}: {error.Message.TrimEnd('.')}. `estat keys new --name NAME --file FILE` makes a file and a key; "
                + "docs/keys.md describes it.");
        }
    }

    /// <summary>Who may send now.</summary>
    public SenderTable Table => _table;

    /// <summary>Reads the keys that the options name; null when they name none, and ingestion is open.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="time">Clock and timers.</param>
    /// <param name="logger">Where readings are told.</param>
    /// <exception cref="OptionException">The file or the list cannot be used.</exception>
    public static WriteKeys? Open(WriteKeyOptions options, TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        return !options.AreConfigured ? null : new WriteKeys(options, time, logger);
    }

    /// <summary>Goes on with used quotas where the last start ended, and looks after the file from now on. Once the node owns its folders.</summary>
    /// <param name="state">Where used quotas are kept; null keeps them in memory.</param>
    public void Start(IStateFiles? state)
    {
        if (state is not null)
        {
            var quotas = new KeptQuotas(new QuotaFile(state), _time, _logger);
            quotas.Resume(name => _records.GetValueOrDefault(name)?.Quota);
            _saving = new FileChore(
                LookInterval, _time, _ => quotas.Save(_table.Senders), () => quotas.OnTrouble("writing it hangs; check the disk"));
        }

        LogKeys(_logger, _table.Senders.Count, Source);
        _saving?.Start();
        _looking?.Start();
        if (_looking is not null && !OperatingSystem.IsWindows())
        {
            _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                _looking.Ask();
            });
        }
    }

    /// <summary>A request failed that showed no key, or none that holds.</summary>
    public void OnFailed(KeyRefusal reason) => _failures[(int)reason].Increment();

    /// <summary>Adds what metrics say of keys.</summary>
    public void Observe(Meter meter)
    {
        ArgumentNullException.ThrowIfNull(meter);
        meter.CreateObservableCounter(
            "estat_key_events_total", () => _counts.Select(of => new Measurement<long>(of.Events.Value, Tag("key", of.Label))),
            description: $"Events acknowledged, by write key; only the first {MostLabels} keys have a label of their own");
        meter.CreateObservableCounter(
            "estat_key_refused_total",
            () => _counts.SelectMany(of => SenderCounts.Reasons.Select(
                reason => new Measurement<long>(of.Refused(reason), Tag("key", of.Label), Tag("reason", Name(reason))))),
            description: "Requests refused although they sent a known write key");
        meter.CreateObservableCounter(
            "estat_key_failures_total",
            () => new[] { KeyRefusal.Missing, KeyRefusal.Wrong, KeyRefusal.Disabled, KeyRefusal.Expired }
                .Select(reason => new Measurement<long>(_failures[(int)reason].Value, Tag("reason", Name(reason)))),
            description: "Requests answered 401, by what was wrong with their write key");
        meter.CreateObservableGauge("estat_key_file_failing", () => _trouble.Lasts ? 1 : 0,
            description: "1 while WRITE_KEYS_FILE cannot be used, or a read of it hangs; the keys that were read before stay valid");
        meter.CreateObservableCounter(
            "estat_key_file_errors_total", () => Volatile.Read(ref _troubles), description: "How often WRITE_KEYS_FILE became unusable");
    }

    /// <summary>
    /// Stops looking after the file, and writes used quotas a last time. A look that hangs, on a network's file system or at a pipe that nobody
    /// writes to, is left behind.
    /// </summary>
    public void Dispose()
    {
        _hangUp?.Dispose();
        _looking?.Dispose();
        _saving?.End(withLastRound: true);
    }

    /// <summary>The look under way, or the last one.</summary>
    internal Task Looking => _looking?.Round ?? Task.CompletedTask;

    private string Source => _options.File is { } file ? $"WRITE_KEYS_FILE={file}" : "WRITE_KEYS";

    // Looks whether the file has changed, and takes over what it says. Somebody who asked wants to hear.
    private void Look(bool isAsked)
    {
        try
        {
            byte[] content = ReadFile(_options.File!);
            if (!content.AsSpan().SequenceEqual(_seen) || isAsked || _trouble.Lasts)
            {
                Adopt(Combine(content));
                _seen = content;
                LogKeys(_logger, _table.Senders.Count, Source);
            }

            _trouble.End();
        }
        catch (Exception error)
        {
            // Whatever it is, the keys that were read still hold and the next look comes.
            OnTrouble(error is IOException or UnauthorizedAccessException or WriteKeyException ? error.Message
                : $"{error.GetType().Name}: {error.Message}", isAsked);
        }
    }

    // Told and counted once per trouble, not every second.
    private void OnTrouble(string trouble, bool isAsked)
    {
        bool isNew = _trouble.IsNews(trouble);
        if (isNew)
        {
            Interlocked.Increment(ref _troubles);
        }

        if (isNew || isAsked)
        {
            LogUnusable(_logger, Source, trouble.TrimEnd('.'), _table.Senders.Count);
        }
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    private static string Name(KeyRefusal reason) => reason.ToString().ToLowerInvariant();

    private static byte[] ReadFile(string path)
    {
        try
        {
            return RegularFile.ReadAllBytes(path, WriteKeyFile.LongestFile);
        }
        catch (FileNotFoundException)
        {
            throw new IOException("there is no such file");
        }
    }

    private List<WriteKey> Combine(byte[] content)
    {
        List<WriteKey> keys = [.. _listed, .. _options.File is null ? [] : WriteKeyFile.Parse(content, _options.Prefixes)];
        WriteKeyFile.Check(keys);
        return keys;
    }

    private void Adopt(List<WriteKey> keys)
    {
        // A key that is gone is forgotten, unless it has a label, of which there are few: so one that is taken out and put in again goes on.
        HashSet<string> names = [.. keys.Select(key => key.Name)];
        foreach (string gone in _records.Where(record => record.Value.Counts == _otherCounts && !names.Contains(record.Key))
            .Select(record => record.Key).ToArray())
        {
            _records.Remove(gone);
        }

        SenderTable table = new(keys.Select(key => new Sender(key, RecordOf(key.Name), _time)));
        SenderCounts[] labelled = [.. _records.Values.Select(record => record.Counts).Where(counts => counts != _otherCounts)];
        _counts = labelled.Length < _records.Count ? [.. labelled, _otherCounts] : labelled;
        _table = table;
    }

    private WriteKeyUsage RecordOf(string name)
    {
        if (!_records.TryGetValue(name, out WriteKeyUsage? record))
        {
            SenderCounts counts = _labels++ < MostLabels ? new SenderCounts(name) : _otherCounts;
            _records.Add(name, record = new WriteKeyUsage(counts));
        }

        return record;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Read {Keys} write keys from {Source}; requests need one of them")]
    private static partial void LogKeys(ILogger logger, int keys, string source);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Cannot use {Source}: {Reason}. The {Keys} write keys that were read before stay valid. Repair the file; the node reads it again "
            + "at once (docs/keys.md describes it)")]
    private static partial void LogUnusable(ILogger logger, string source, string reason, int keys);
}
