// The write keys of a node: read at start, read again when their file changes.
using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Estat.Core.Metrics;
using Estat.Core.Options;

namespace Estat.Core.Keys;

/// <summary>
/// Holds the table that requests look keys up in, and replaces it as a whole. A file that turned unusable, or went away, changes nothing but the log. What keys
/// have used of their day is written every second, so a crash forgets a second of it at the most; a drain forgets nothing.
/// </summary>
public sealed partial class WriteKeys : IDisposable
{
    /// <summary>Keys that have metrics under their own names, from the process' start on; all others share <see cref="OtherLabel"/>.</summary>
    public const int MostLabels = 100;

    /// <summary>The label of keys beyond <see cref="MostLabels"/>.</summary>
    public const string OtherLabel = "(other)";

    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    // After the drain, and well within what is left of SHUTDOWN_TIMEOUT.
    private static readonly TimeSpan LongestLook = TimeSpan.FromSeconds(2);

    private readonly EstatOptions _options;
    private readonly QuotaFile? _quotas;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _reading = new();
    private readonly Lock _saving = new();
    private readonly Dictionary<string, SenderRecord> _records = new(StringComparer.Ordinal);
    private readonly List<SenderCounts> _counts = [];
    private readonly SenderCounts _otherCounts = new(OtherLabel);
    private readonly IReadOnlyList<WriteKey> _listed;
    private readonly StripedCounter[] _failures = [.. Enum.GetValues<KeyRefusal>().Select(_ => new StripedCounter())];
    private readonly CancellationTokenSource _stop = new();
    private Task _looking = Task.CompletedTask;
    private PosixSignalRegistration? _hangUp;
    private byte[] _seen = [];
    private string? _lastTrouble;
    private string _savedQuotas = "";
    private bool _quotasFail;
    private volatile SenderTable _table;

    private WriteKeys(EstatOptions options, string? quotaFolder, TimeProvider time, ILogger logger)
    {
        _options = options;
        _quotas = quotaFolder is null ? null : new QuotaFile(Path.Combine(Path.GetFullPath(quotaFolder), QuotaFile.Name));
        _time = time;
        _logger = logger;
        _listed = options.WriteKeys;
        _table = new SenderTable([]);
        try
        {
            _seen = options.WriteKeysFile is { } file ? ReadFile(file) : [];
            Adopt(Combine(_seen));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or WriteKeyException)
        {
            throw new OptionException($"{Source}: {error.Message.TrimEnd('.')}. `estat keys new --name NAME --file FILE` makes a file and a key; docs/keys.md shows what it takes.");
        }
    }

    /// <summary>Who may send now.</summary>
    public SenderTable Table => _table;

    /// <summary>Reads the keys that the options name; null when they name none, and ingestion is open.</summary>
    /// <param name="options">Checked options.</param>
    /// <param name="quotaFolder">Where used quotas are kept: SPOOL_DIR; null keeps them in memory.</param>
    /// <param name="time">Clock and timers.</param>
    /// <param name="logger">Where readings are told.</param>
    /// <exception cref="OptionException">The file or the list cannot be used.</exception>
    public static WriteKeys? Open(EstatOptions options, string? quotaFolder, TimeProvider time, ILogger logger)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        return options.WriteKeysFile is null && options.WriteKeys.Count == 0 ? null : new WriteKeys(options, quotaFolder, time, logger);
    }

    /// <summary>Goes on with used quotas where the last start ended, and looks after the file from now on. Once the node owns its folders.</summary>
    public void Start()
    {
        ResumeQuotas();
        LogKeys(_logger, _table.Senders.Count, Source);
        _looking = Task.Run(LookAsync);
        if (_options.WriteKeysFile is not null && !OperatingSystem.IsWindows())
        {
            _hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context =>
            {
                context.Cancel = true;
                Look(isAsked: true);
            });
        }
    }

    /// <summary>A request failed that showed no key, or none that holds.</summary>
    public void OnFailed(KeyRefusal reason) => _failures[(int)reason].Increment();

    /// <summary>Adds what metrics say of keys.</summary>
    public void Observe(Meter meter)
    {
        ArgumentNullException.ThrowIfNull(meter);
        meter.CreateObservableCounter("estat_key_events_total", () => Counts().Select(of => new Measurement<long>(of.Events.Value, Tag("key", of.Label))),
            description: $"Events acknowledged, by write key; the first {MostLabels} keys have a name");
        meter.CreateObservableCounter(
            "estat_key_refused_total",
            () => Counts().SelectMany(of => SenderCounts.Reasons.Select(reason => new Measurement<long>(of.Refused(reason), Tag("key", of.Label), Tag("reason", Name(reason))))),
            description: "Requests refused that showed a known write key");
        meter.CreateObservableCounter(
            "estat_key_failures_total",
            () => new[] { KeyRefusal.Missing, KeyRefusal.Wrong, KeyRefusal.Disabled, KeyRefusal.Expired }
                .Select(reason => new Measurement<long>(_failures[(int)reason].Value, Tag("reason", Name(reason)))),
            description: "Requests answered 401, by what was wrong with their write key");
    }

    /// <summary>Stops looking after the file, and writes used quotas a last time. A look that hangs, on a network's file system or at a pipe that nobody writes to, is left behind.</summary>
    public void Dispose()
    {
        _hangUp?.Dispose();
        _stop.Cancel();
        bool hasEnded = _looking.Wait(LongestLook);
        SaveQuotas();
        if (hasEnded)
        {
            _stop.Dispose();
        }
    }

    private string Source => _options.WriteKeysFile is { } file ? $"WRITE_KEYS_FILE={file}" : "WRITE_KEYS";

    /// <summary>Looks whether the file has changed, and takes over what it says.</summary>
    /// <param name="isAsked">Whether somebody asked for it, and wants to hear.</param>
    internal void Look(bool isAsked)
    {
        if (_options.WriteKeysFile is not { } file)
        {
            return;
        }

        lock (_reading)
        {
            byte[]? content = null;
            try
            {
                content = ReadFile(file);
                if (content.AsSpan().SequenceEqual(_seen) && !isAsked)
                {
                    _lastTrouble = null;
                    return;
                }

                Adopt(Combine(content));
                _seen = content;
                _lastTrouble = null;
                LogKeys(_logger, _table.Senders.Count, Source);
            }
            catch (Exception error)
            {
                // Whatever it is, the keys that were read still hold and the next look comes. Told once per trouble, not every second.
                string trouble = error is IOException or UnauthorizedAccessException or WriteKeyException ? error.Message : $"{error.GetType().Name}: {error.Message}";
                if (isAsked || trouble != _lastTrouble)
                {
                    _lastTrouble = trouble;
                    LogUnusable(_logger, Source, trouble.TrimEnd('.'), _table.Senders.Count);
                }
            }
        }
    }

    /// <summary>Writes used quotas if they have changed.</summary>
    internal void SaveQuotas()
    {
        if (_quotas is null)
        {
            return;
        }

        lock (_saving)
        {
            try
            {
                KeyValuePair<string, (int Day, long Used)>[] used =
                    [.. _table.Senders.Where(sender => sender.Key.DailyQuota is not null).Select(sender => KeyValuePair.Create(sender.Name, sender.Record.Quota.Read())).Where(pair => pair.Value.Used > 0)];
                int day = used.Length == 0 ? 0 : used.Max(pair => pair.Value.Day);
                KeyValuePair<string, long>[] ofDay = [.. used.Where(pair => pair.Value.Day == day).Select(pair => KeyValuePair.Create(pair.Key, pair.Value.Used))];
                string text = $"{day} {string.Join(' ', ofDay)}";
                if (ofDay.Length == 0 || text == _savedQuotas)
                {
                    return;
                }

                _quotas.Write(day, ofDay);
                _savedQuotas = text;
                _quotasFail = false;
            }
            catch (Exception error)
            {
                if (!_quotasFail)
                {
                    _quotasFail = true;
                    LogQuotasNotSaved(_logger, _quotas.Path, error.Message);
                }
            }
        }
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);

    private static string Name(KeyRefusal reason) => reason.ToString().ToLowerInvariant();

    private static byte[] ReadFile(string path)
    {
        if (!File.Exists(path))
        {
            throw new IOException("there is no such file");
        }

        using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (file.Length > WriteKeyFile.LongestFile)
        {
            throw new IOException($"has {file.Length} bytes; takes at most {WriteKeyFile.LongestFile}");
        }

        byte[] content = new byte[file.Length];
        file.ReadExactly(content);
        return content;
    }

    private SenderCounts[] Counts()
    {
        lock (_reading)
        {
            return _records.Count > _counts.Count ? [.. _counts, _otherCounts] : [.. _counts];
        }
    }

    private List<WriteKey> Combine(byte[] content)
    {
        List<WriteKey> keys = [.. _listed, .. _options.WriteKeysFile is null ? [] : WriteKeyFile.Parse(content, _options)];
        WriteKeyFile.Check(keys);
        return keys;
    }

    private void Adopt(List<WriteKey> keys)
    {
        lock (_reading)
        {
            // A key that is gone is forgotten, unless it has a label, of which there are few: so one that is taken out and put in again goes on.
            HashSet<string> names = [.. keys.Select(key => key.Name)];
            foreach (string gone in _records.Where(record => record.Value.Counts == _otherCounts && !names.Contains(record.Key)).Select(record => record.Key).ToArray())
            {
                _records.Remove(gone);
            }

            _table = new SenderTable(keys.Select(key => new Sender(key, RecordOf(key.Name), _time)));
        }
    }

    private SenderRecord RecordOf(string name)
    {
        if (!_records.TryGetValue(name, out SenderRecord? record))
        {
            SenderCounts counts = _otherCounts;
            if (_counts.Count < MostLabels)
            {
                _counts.Add(counts = new SenderCounts(name));
            }

            _records.Add(name, record = new SenderRecord(counts));
        }

        return record;
    }

    private void ResumeQuotas()
    {
        try
        {
            if (_quotas?.Read() is not var (day, used) || day < DailyQuota.DayOf(_time.GetUtcNow()))
            {
                return;
            }

            lock (_reading)
            {
                foreach ((string name, long events) in used)
                {
                    _records.GetValueOrDefault(name)?.Quota.Resume(day, events);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException)
        {
            LogQuotasUnreadable(_logger, _quotas!.Path, error.Message);
        }
    }

    private async Task LookAsync()
    {
        using var timer = new PeriodicTimer(LookInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token).ConfigureAwait(false))
            {
                Look(isAsked: false);
                SaveQuotas();
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Keys} write keys from {Source}: requests need one of them")]
    private static partial void LogKeys(ILogger logger, int keys, string source);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "{Source}: {Reason}. The {Keys} write keys that were read before still hold; mend the file, and it is read again at once (docs/keys.md shows what it takes)")]
    private static partial void LogUnusable(ILogger logger, string source, string reason, int keys);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path}: {Error}. What write keys have used of their daily quotas is counted from 0 again")]
    private static partial void LogQuotasUnreadable(ILogger logger, string path, string error);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path}: {Error}. What write keys have used of their daily quotas is kept in memory until it can be written; a restart would forget it")]
    private static partial void LogQuotasNotSaved(ILogger logger, string path, string error);
}
