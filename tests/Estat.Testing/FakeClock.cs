// A wall clock that jumps, for one process: libfaketime, preloaded, reads the offset from a file at every call.

using System.Globalization;

namespace Estat.Testing;

/// <summary>
/// Moves the wall clock of the processes that are started with <see cref="Environment"/>. Their monotonic clock, by which timers and timeouts go,
/// stays as it is, as it does when a machine's clock is set.
/// </summary>
public sealed class FakeClock : IDisposable
{
    // The one for processes with threads. Without its lock, threads that read the file at once mix up offsets, waits end with EINVAL, and .NET dies
    // of it.
    private const string Library = "libfaketimeMT.so.1";
    private readonly TempFolder _folder = new();
    private readonly string _file;

    /// <summary>A clock that is right as yet.</summary>
    public FakeClock()
    {
        _file = _folder["offset"];
        Set(TimeSpan.Zero);
        Environment = new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = Find() ?? throw new FileNotFoundException($"no {Library}"),
            ["FAKETIME_TIMESTAMP_FILE"] = _file,
            ["FAKETIME_NO_CACHE"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        };
    }

    /// <summary>What a process whose clock this is has to be started with.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>Whether this machine has libfaketime; if not, what to install.</summary>
    public static bool Available(out string reason)
    {
        reason = Find() is null ? "no libfaketime: apt-get install faketime" : "";
        return reason.Length == 0;
    }

    /// <summary>Makes the clock wrong by this much, at once.</summary>
    public void Set(TimeSpan offset)
    {
        var next = _file + ".next";
        File.WriteAllText(next, offset.TotalSeconds.ToString("+0.###;-0.###", CultureInfo.InvariantCulture));
        File.Move(next, _file, overwrite: true);
    }

    public void Dispose() => _folder.Dispose();

    private static string? Find() =>
        new[] { "/usr/lib", "/usr/lib64", "/usr/local/lib" }
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateDirectories(folder, "faketime").Concat(
                Directory.EnumerateDirectories(folder).Select(below => Path.Combine(below, "faketime")).Where(Directory.Exists)))
            .Select(folder => Path.Combine(folder, Library))
            .FirstOrDefault(File.Exists);
}
