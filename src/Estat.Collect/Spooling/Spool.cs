// The spool: a folder of segments, one per batch that is open or waits to be safe elsewhere.
using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Estat.Base.Acks;
using Estat.Base.Files;
using Estat.Base.Journal;
using Estat.Base.Logging;
using Estat.Collect.Options;
using Estat.Lake.Names;

namespace Estat.Collect.Spooling;

/// <summary>
/// What a reader may assume, and tests try to refute (docs/guarantees.md):
/// a segment is one batch with one writer; an event is acknowledged only after an fdatasync that began after its record was written has succeeded, in
/// a file whose entry in the folder was synced before; so every acknowledged record lies in the run of good records from the head on; a segment
/// takes nothing more after a failed write or sync, nor after its seal; the seal is synced before the first upload; the file is deleted only when
/// all of its events are durable elsewhere. What a torn tail looks like: fewer bytes than its frame says, zeros, or a checksum that does not hold,
/// and no good record behind it.
/// </summary>
/// <remarks>One process owns the folder. Its id and the number of this start are synced before anything is served: they make keys unique.</remarks>
internal sealed partial class Spool : IDisposable
{
    /// <summary>Ends a segment's name.</summary>
    internal const string Extension = ".seg";

    private const char NamedWhole = 'a'; // a hex digit: earlier versions know the name as a segment's
    private const string IdentityName = "identity";
    private const string ProbeName = "probe";
    private const int LongestIdentity = 1 << 20;
    private const int FailuresUntilUnready = 2;

    // Between two looks at the disk there may be so much written; at 2 GB/s, faster than any partition, that is 2 ms.
    private const long MeasureEveryBytes = 4 << 20;
    private const long MostPrefilled = 4 << 20;
    private static readonly byte[] Zeros = new byte[256 * 1024];
    private static readonly TimeSpan GuardInterval = TimeSpan.FromSeconds(1);

    // A sync takes milliseconds, on a bad day a second. Requests that wait longer than this should go elsewhere.
    private static readonly TimeSpan HangsAfter = TimeSpan.FromSeconds(5);
    private static readonly string[] VolatileFileSystems = ["tmpfs", "ramfs"];

    private readonly CollectOptions _options;
    private readonly IJournalFiles _files;
    private readonly DirectoryLock? _owner;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly long _start;
    private readonly ConcurrentDictionary<object, long> _syncing = new();
    private readonly ConcurrentDictionary<string, IJournalFile> _open = new();
    private readonly Channel<(string Name, IJournalFile File)> _spares;
    private readonly ToldFault _freeUnknown = new();
    private readonly ToldFault _notCounted = new();
    private long _number;
    private long _typicalBytes = Zeros.Length;
    private long _bytes;
    private long _unmeasured;
    private long _freeBytes = long.MaxValue;
    private bool _wasFull;
    private int _failures;
    private volatile bool _hangs;
    private volatile bool _isCounted;

    /// <summary>Takes over a folder: reads who it is, counts this start, and notes the segments that are there.</summary>
    /// <exception cref="IOException">The folder cannot be read or written.</exception>
    internal Spool(CollectOptions options, IJournalFiles files, DirectoryLock? owner, int spares, TimeProvider time, ILogger logger)
    {
        _options = options;
        _files = files;
        _owner = owner;
        _time = time;
        _logger = logger;
        (Id, _start) = NextStart();
        TryCountStart(static tell => tell());
        Instance = string.Create(CultureInfo.InvariantCulture, $"{Id}-{_start}");
        Found = [.. files.Names().Where(IsSegment).Order(StringComparer.Ordinal)];
        _spares = Channel.CreateBounded<(string, IJournalFile)>(Math.Max(1, spares));
        Measure();
    }

    /// <summary>32 hex digits, the same at every start.</summary>
    internal string Id { get; }

    /// <summary>The spool's id and the number of this start; the instance in every key.</summary>
    internal string Instance { get; }

    /// <summary>Segments of earlier starts, oldest start first.</summary>
    internal IReadOnlyList<string> Found { get; }

    /// <summary>Where it is, for people.</summary>
    internal string Folder => _files.Folder;

    /// <summary>The files.</summary>
    internal IJournalFiles Files => _files;

    /// <summary>Bytes of all segments: open, waiting, and those found at start once they were counted.</summary>
    internal long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Whether new requests must be turned away for lack of room.</summary>
    internal bool IsFull => !_isCounted || Bytes >= _options.SpoolMaxSizeBytes || Volatile.Read(ref _freeBytes) < _options.DiskMinFreeBytes;

    /// <summary>Bytes free on its disk, as last measured.</summary>
    internal long FreeBytes => Volatile.Read(ref _freeBytes);

    /// <summary>
    /// Whether this start is counted on the disk: before that its keys are not known to be its own, and nothing is taken at any level.
    /// </summary>
    internal bool IsCounted => _isCounted;

    /// <summary>Whether the disk failed repeatedly and has not been seen to work since, or its folder is gone.</summary>
    internal bool IsFailing => Volatile.Read(ref _failures) >= FailuresUntilUnready || _hangs || IsGone;

    /// <summary>Takes the folder that the options name.</summary>
    /// <exception cref="IOException">Another process owns it, it cannot be written, or it would forget everything at a power cut; the message says
    /// what to do.</exception>
    internal static Spool Open(CollectOptions options, int spares, TimeProvider time, ILogger logger)
    {
        DirectoryLock owner = DirectoryLock.Take(options.SpoolDir, "SPOOL_DIR");
        try
        {
            AckLevel promised = options.AckAllowed?.Max() ?? options.Ack;
            if (promised >= AckLevel.Disk && !options.SpoolVolatile && IsVolatile(options.SpoolDir) is { } fileSystem)
            {
                throw new IOException(
                    $"SPOOL_DIR={options.SpoolDir}: is a {fileSystem}, which a power cut or a reboot empties, so the node cannot promise "
                        + $"{promised.ToText()}. Name a folder on a disk, or set SPOOL_VOLATILE=true to accept that.");
            }

            var files = new DiskFiles(options.SpoolDir, owner);
            RemoveTemporaries(files);
            return new Spool(options, files, owner, spares, time, logger);
        }
        catch (Exception error) when (error is UnauthorizedAccessException)
        {
            owner.Dispose();
            throw new IOException(
                $"SPOOL_DIR={options.SpoolDir}: {error.Message.TrimEnd('.')}. {DiskAdvice.For(error, options.SpoolDir)}, or name another folder.",
                error);
        }
        catch
        {
            owner.Dispose();
            throw;
        }
    }

    /// <summary>The kind of file system that forgets, if the folder is on one; null on a disk.</summary>
    internal static string? IsVolatile(string folder)
    {
        string format = new DriveInfo(Path.GetFullPath(folder)).DriveFormat;
        return VolatileFileSystems.Contains(format) ? format : null;
    }

    /// <summary>A segment ended at this length; the next ones are likely to be as long.</summary>
    internal void OnEnded(long bytes) => Volatile.Write(ref _typicalBytes, Math.Max(bytes, Volatile.Read(ref _typicalBytes) * 7 / 8));

    /// <summary>Removes a segment whose events are safe elsewhere. One that stays is recognised by its key after the next start.</summary>
    internal void Delete(string name, long bytes)
    {
        TryDelete(name);
        Interlocked.Add(ref _bytes, -bytes);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _spares.Writer.TryComplete();
        DropSpares();
        _owner?.Dispose();
    }

    private static void RemoveTemporaries(DiskFiles files)
    {
        foreach (string name in files.Names().Where(name => AtomicFile.IsTemporary(name)))
        {
            files.Delete(name);
        }
    }

    // Anything else in the folder is none of ours.
    private static bool IsSegment(string name) =>
        name.EndsWith(Extension, StringComparison.Ordinal) && name[..^Extension.Length] is { Length: > 0 } stem
        && stem.All(c => char.IsAsciiHexDigitLower(c) || c == '-') && stem.Count(c => c == '-') == 2;

    /// <summary>
    /// Whether the file got this name when its first bytes were synced. Earlier versions named empty files, and put no letter before the number.
    /// </summary>
    internal static bool IsNamedWhole(string name) => name.LastIndexOf('-') is >= 0 and int dash && name[dash + 1] == NamedWhole;

    private (string Id, long Start) NextStart()
    {
        byte[]? content = _files.ReadWhole(IdentityName, LongestIdentity);
        string[] words = Encoding.ASCII.GetString(content ?? []).Split(' ', StringSplitOptions.TrimEntries);
        long last = 0;
        bool known = words.Length == 2 && words[0].Length == 32 && words[0].All(char.IsAsciiHexDigitLower)
            && long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out last) && last < long.MaxValue;
        if (!known && content is not null)
        {
            LogIdentityUnreadable(_logger, Folder);
        }

        return known ? (words[0], last + 1) : (ObjectKeys.NewInstance(), 1);
    }

    private void WriteIdentity() => _files.Replace(
        IdentityName, file => file.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Id} {_start}\n"))));

    // On a full disk the node starts all the same: what waits is uploaded, which makes room. It takes nothing before this has succeeded.
    private void TryCountStart(Action<Action> tell)
    {
        try
        {
            WriteIdentity();
            _isCounted = true;
        }
        catch (IOException error) when (Libc.SaysNoRoom(error))
        {
            if (_notCounted.IsNews())
            {
                tell(() => LogNotCounted(_logger, Folder, error.Message));
            }
        }
    }

    private void TryDelete(string name)
    {
        _open.TryRemove(name, out _);
        try
        {
            _files.Delete(name);
        }
        catch (DirectoryNotFoundException)
        {
            // Gone with its folder.
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            LogNotDeleted(_logger, name, error.Message);
        }
    }
}
