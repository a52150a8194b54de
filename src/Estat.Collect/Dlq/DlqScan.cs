// Which DLQ file comes next, without ever listing the whole folder.
using System.IO.Enumeration;
using Estat.Lake.Names;

namespace Estat.Collect.Dlq;

/// <summary>
/// Reads at most <see cref="NamesPerScan"/> names from where it last stopped (one open enumerator, reopened at the folder's end) and gives out the
/// oldest of them that is due. So the cost of a tick does not depend on how many files there are. Each call goes on where the last one stopped, so a
/// round over the folder gives every file its turn once: files that fail never keep the others from theirs. One user: the recovery loop.
/// </summary>
internal sealed class DlqScan(Func<string> folder, TimeProvider time, TimeSpan longestBackoff) : IDisposable
{
    /// <summary>Names that one scan reads.</summary>
    internal const int NamesPerScan = 1000;

    private readonly List<Candidate> _window = [];
    private IEnumerator<Candidate?>? _entries;
    private int _next;

    /// <summary>The oldest due payload among the names at hand or, when there is none, among the next ones. Null: none of these is due.</summary>
    internal string? NextDue() => FromWindow() ?? (ReadWindow() ? FromWindow() : null);

    public void Dispose() => _entries?.Dispose();

    private string? FromWindow()
    {
        while (_next < _window.Count)
        {
            string path = _window[_next++].Path;
            if (IsDue(path))
            {
                return path;
            }
        }

        return null;
    }

    private bool IsDue(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        // A missing file's time is 1601: a payload without meta is due at once. A time further off than any backoff is a clock that jumped.
        DateTime due = File.GetLastWriteTimeUtc(path + DlqDirectory.MetaExtension);
        DateTime now = time.GetUtcNow().UtcDateTime;
        return due <= now || due > now + longestBackoff;
    }

    private bool ReadWindow()
    {
        _window.Clear();
        _next = 0;
        for (int read = 0; read < NamesPerScan; read++)
        {
            _entries ??= Open();
            if (!_entries.MoveNext())
            {
                _entries.Dispose();
                _entries = null;
                break;
            }

            if (_entries.Current is { } candidate)
            {
                _window.Add(candidate);
            }
        }

        _window.Sort(static (a, b) => a.Opened.CompareTo(b.Opened));
        return _window.Count > 0;
    }

    // Every name counts, but only payloads become strings.
    private IEnumerator<Candidate?> Open() =>
        new FileSystemEnumerable<Candidate?>(folder(),
            static (ref FileSystemEntry entry) => entry.FileName.EndsWith(ObjectKeys.Extension, StringComparison.Ordinal)
                ? new Candidate(entry.ToFullPath(), ObjectKeys.OpenedOf(entry.FileName) ?? DateTimeOffset.MinValue)
                : null).GetEnumerator();

    private sealed record Candidate(string Path, DateTimeOffset Opened);
}
