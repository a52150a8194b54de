// The DLQ in a folder whose server does not run.
using System.IO.Compression;
using System.Text;
using Estat.Base.Files;
using Estat.Cli.Frame;
using Estat.Collect.Batching;
using Estat.Collect.Dlq;
using Estat.Lake.Names;

namespace Estat.Cli.Dlq;

/// <summary>
/// Looking needs no lock, and works beside a running server too. What changes the folder owns it meanwhile (<see cref="OfflineRecovery"/>), so that a
/// server that is started cannot take it, and one that runs keeps it.
/// </summary>
internal sealed class FolderDlq : IDlqSource
{
    private const int MostLineBytes = 64 * 1024;

    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly OfflineRecovery? _recovery;
    private string[]? _names;

    private FolderDlq(string folder, TimeProvider time, OfflineRecovery? recovery)
    {
        _folder = folder;
        _time = time;
        _recovery = recovery;
    }

    /// <inheritdoc/>
    public string Description => _folder;

    /// <summary>Opens a folder.</summary>
    /// <exception cref="CliException">There is none, or a server owns it that is to be changed.</exception>
    internal static FolderDlq Open(string folder, bool changes, Shell shell)
    {
        string full = Path.GetFullPath(folder);
        return Directory.Exists(full)
            ? new FolderDlq(full, shell.Time, changes ? OfflineRecovery.Own(full, shell.Time) : null)
            : throw CliException.Usage($"--dir {folder}: no such folder");
    }

    /// <inheritdoc/>
    public Task<DlqPage> PageAsync(int limit, string? after, CancellationToken cancellationToken)
    {
        // Read once for a whole run: what leaves meanwhile is gone when it is looked at.
        if (_names is null || after is null)
        {
            _names = [.. Directory.EnumerateFiles(_folder, "*" + ObjectKeys.Extension).Select(path => ObjectKeys.NameOf(Path.GetFileName(path)))
                .Where(name => name[0] != '.')];
            Array.Sort(_names, StringComparer.Ordinal);
        }

        int from = after is null ? 0 : Array.BinarySearch(_names, after, StringComparer.Ordinal) is >= 0 and int at ? at + 1
            : ~Array.BinarySearch(_names, after, StringComparer.Ordinal);
        string[] page = [.. _names.Skip(from).Take(limit)];
        return Task.FromResult(new DlqPage
        {
            Files = [.. page.Select(Read).OfType<DlqFile>()],
            Next = from + page.Length < _names.Length ? page[^1] : null,
            Total = _names.Length,
        });
    }

    /// <inheritdoc/>
    public Task<DlqFile?> ShowAsync(string name, int lines, CancellationToken cancellationToken)
    {
        if (Read(ObjectKeys.NameOf(name)) is not { } file || lines == 0)
        {
            return Task.FromResult(Read(ObjectKeys.NameOf(name)));
        }

        (IReadOnlyList<string> first, bool more) = FirstLines(PayloadOf(file.Name), lines, isGzip: file.Form != "raw");
        return Task.FromResult<DlqFile?>(file with { Lines = first, Truncated = more });
    }

    /// <inheritdoc/>
    public async Task<bool> CopyAsync(string name, FileStream target, CancellationToken cancellationToken)
    {
        try
        {
            using FileStream content = OpenPayload(PayloadOf(name));
            await content.CopyToAsync(target, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public Task<DlqOutcome> RetryAsync(string name, CancellationToken cancellationToken) => Owned.RetryAsync(ObjectKeys.NameOf(name));

    /// <inheritdoc/>
    public Task<long?> DiscardAsync(string name, long events, CancellationToken cancellationToken) =>
        Owned.DiscardAsync(ObjectKeys.NameOf(name), events);

    /// <inheritdoc/>
    public void Dispose() => _recovery?.Dispose();

    private OfflineRecovery Owned => _recovery ?? throw new InvalidOperationException("the folder was opened read-only");

    private static FileStream OpenPayload(string path) => RegularFile.OpenRead(path);

    private string PayloadOf(string name) => Path.Combine(_folder, ObjectKeys.NameOf(name) + ObjectKeys.Extension);

    private DlqFile? Read(string name)
    {
        if (name.Contains('/', StringComparison.Ordinal) || name is "" or "." or "..")
        {
            return null;
        }

        var payload = new FileInfo(PayloadOf(name));
        if (!payload.Exists)
        {
            return null;
        }

        DlqMeta? meta = DlqDirectory.ReadMeta(payload.FullName);
        DateTimeOffset opened = meta?.Created ?? ObjectKeys.OpenedOf(name) ?? payload.LastWriteTimeUtc;
        return new DlqFile
        {
            Name = name,
            Key = meta?.Key,
            Events = meta?.NumEvents ?? 0,
            Bytes = payload.Length,
            Created = opened,
            AgeS = (_time.GetUtcNow() - opened).TotalSeconds,
            Reason = meta?.Reason,
            Attempts = meta?.Attempts ?? 0,
            NextDue = meta?.NextDue,
            Expired = meta?.Expired ?? false,
            Form = meta?.Form == BatchForm.Raw ? "raw" : "gzip",
            Sha256 = meta?.Form == BatchForm.Raw ? null : meta?.Sha256,
        };
    }

    // As much as fits into a screen, whatever lies there.
    private static (IReadOnlyList<string> Lines, bool More) FirstLines(string path, int most, bool isGzip)
    {
        byte[] head = new byte[MostLineBytes + 1];
        int read = 0;
        using FileStream file = OpenPayload(path);
        using Stream content = isGzip ? new GZipStream(file, CompressionMode.Decompress) : file;
        try
        {
            read = content.ReadAtLeast(head, head.Length, throwOnEndOfStream: false);
        }
        catch (InvalidDataException error)
        {
            return ([$"(cannot be read as gzip: {error.Message})"], true);
        }

        bool cut = read == head.Length;
        string[] lines = Encoding.UTF8.GetString(head, 0, Math.Min(read, MostLineBytes)).TrimEnd('\n').Split('\n');
        return ([.. lines.Take(most)], cut || lines.Length > most);
    }
}
