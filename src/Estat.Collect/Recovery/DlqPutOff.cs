// DLQ files that are tried less often though no meta says so.
using System.Collections.Concurrent;
using Estat.Base.Storage;

namespace Estat.Collect.Recovery;

/// <summary>
/// A file whose meta cannot be read, or is not there, has nowhere to keep when it is due. So this process remembers it, for a bounded number of
/// files, by a clock that is not set. Any thread.
/// </summary>
internal sealed class DlqPutOff(TimeProvider time)
{
    private const int Most = 10_000;

    private readonly ConcurrentDictionary<string, (int Attempts, long Since, TimeSpan Wait, string Fault)> _files = new(StringComparer.Ordinal);

    /// <summary>Puts a file off, longer each time.</summary>
    /// <returns>Whether it is another fault than last time.</returns>
    internal bool Add(string payload, string fault)
    {
        bool isKnown = _files.TryGetValue(payload, out (int Attempts, long Since, TimeSpan Wait, string Fault) last);
        if (isKnown || _files.Count < Most)
        {
            int attempts = last.Attempts + 1;
            _files[payload] = (attempts, time.GetTimestamp(), Backoff.Dlq.After(attempts), fault);
        }

        return !isKnown || last.Fault != fault;
    }

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

            if (!_files.TryGetValue(payload, out (int Attempts, long Since, TimeSpan Wait, string Fault) file)
                || time.GetElapsedTime(file.Since) >= file.Wait)
            {
                return payload;
            }

            first ??= payload;
        }

        return null;
    }
}
