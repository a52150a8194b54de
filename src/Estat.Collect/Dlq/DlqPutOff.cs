// DLQ files that are tried less often though no meta says so.
using System.Collections.Concurrent;
using Estat.Base.Storage;

namespace Estat.Collect.Dlq;

/// <summary>
/// A file whose meta cannot be read, or is not there, has nowhere to keep when it is due. So this process remembers it, for a bounded number of
/// files, by a clock that is not set, until the file leaves the DLQ. Any thread.
/// </summary>
internal sealed class DlqPutOff(TimeProvider time)
{
    /// <summary>Files that are remembered at once.</summary>
    internal const int Most = 10_000;

    // Files also leave by other hands. Those that did are looked for when twice as many are remembered as after the last time.
    private const int FirstSweep = 64;
    private static readonly TimeSpan BetweenSweeps = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, (int Attempts, long Since, TimeSpan Wait, string Fault)> _files = new(StringComparer.Ordinal);
    private readonly Lock _sweeping = new();
    private long? _sweptAt;
    private int _sweepAt = FirstSweep;

    /// <summary>Files that are remembered.</summary>
    internal int Count => _files.Count;

    /// <summary>Puts a file off, longer each time.</summary>
    /// <returns>Whether it is another fault than last time.</returns>
    internal bool Add(string payload, string fault)
    {
        string name = Path.GetFileName(payload);
        bool isKnown = _files.TryGetValue(name, out (int Attempts, long Since, TimeSpan Wait, string Fault) last);
        if (!isKnown)
        {
            Sweep(Path.GetDirectoryName(payload)!);
        }

        if (isKnown || _files.Count < Most)
        {
            int attempts = last.Attempts + 1;
            _files[name] = (attempts, time.GetTimestamp(), Backoff.Dlq.After(attempts), fault);
        }

        return !isKnown || last.Fault != fault;
    }

    /// <summary>The file has left the DLQ.</summary>
    internal void Forget(string payload) => _files.TryRemove(Path.GetFileName(payload), out _);

    /// <summary>The next due file of a scan that is not put off; null when there is none among those that it has at hand.</summary>
    internal string? NextOf(DlqScan scan)
    {
        string? first = null;
        for (int looked = 0; looked < DlqScan.NamesPerScan; looked++)
        {
            string? payload = scan.NextDue();
            if (payload is null || payload == first)
            {
                return null;
            }

            if (!_files.TryGetValue(Path.GetFileName(payload), out (int Attempts, long Since, TimeSpan Wait, string Fault) file)
                || time.GetElapsedTime(file.Since) >= file.Wait)
            {
                return payload;
            }

            first ??= payload;
        }

        return null;
    }

    private void Sweep(string folder)
    {
        if (_files.Count < _sweepAt)
        {
            return;
        }

        lock (_sweeping)
        {
            if (_files.Count < _sweepAt || (_sweptAt is { } at && time.GetElapsedTime(at) < BetweenSweeps))
            {
                return;
            }

            _sweptAt = time.GetTimestamp();
            foreach (string name in _files.Keys.Where(name => !File.Exists(Path.Combine(folder, name))))
            {
                _files.TryRemove(name, out _);
            }

            _sweepAt = Math.Clamp(2 * _files.Count, FirstSweep, Most);
        }
    }
}
