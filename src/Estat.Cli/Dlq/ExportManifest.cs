// FOLDER/manifest.jsonl: what an export holds, a file a line.
using System.Text.Json;
using System.Text.Json.Serialization;
using Estat.Base.Files;

namespace Estat.Cli.Dlq;

/// <summary>One exported file.</summary>
internal sealed record ExportedFile
{
    /// <summary>Its name in the DLQ.</summary>
    public required string Name { get; init; }

    /// <summary>Its file in the export's folder.</summary>
    public required string File { get; init; }

    /// <summary>Size.</summary>
    public required long Bytes { get; init; }

    /// <summary>SHA-256 of the file, as <c>sha256sum</c> has it.</summary>
    public required string Sha256 { get; init; }

    /// <summary>Lines that were counted in it; null when it cannot be read as gzip JSONL.</summary>
    public long? Events { get; init; }

    /// <summary>Why it cannot be read, or does not hold what it was sealed with.</summary>
    public string? Fault { get; init; }

    /// <summary>Where it would have gone.</summary>
    public string? Key { get; init; }

    /// <summary>When its batch opened.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>Why it was in the DLQ.</summary>
    public string? Reason { get; init; }
}

/// <summary>Appended to, with fsync, after each file that is whole; a torn last line is no file, and is cut off.</summary>
internal sealed class ExportManifest : IDisposable
{
    internal const string FileName = "manifest.jsonl";

    private readonly FileStream _file;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ExportedFile> _files = new(StringComparer.Ordinal);

    private ExportManifest(FileStream file) => _file = file;

    /// <summary>Opens it for this process alone, and reads what is there.</summary>
    internal static ExportManifest Open(string folder)
    {
        var file = new FileStream(Path.Combine(folder, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        var manifest = new ExportManifest(file);
        long sound = 0;
        byte[] content = new byte[file.Length];
        file.ReadExactly(content);
        for (int start = 0; start < content.Length;)
        {
            int length = content.AsSpan(start).IndexOf((byte)'\n');
            if (length < 0 || Read(content.AsSpan(start, length)) is not { } entry)
            {
                break;
            }

            manifest._files[entry.Name] = entry;
            start += length + 1;
            sound = start;
        }

        file.SetLength(sound);
        file.Position = sound;
        return manifest;
    }

    /// <summary>What was exported under this name, if anything.</summary>
    internal ExportedFile? Find(string name)
    {
        lock (_gate)
        {
            return _files.GetValueOrDefault(name);
        }
    }

    /// <summary>Adds a file that lies there whole.</summary>
    internal void Add(ExportedFile file)
    {
        byte[] line = JsonSerializer.SerializeToUtf8Bytes(file, ExportJson.Default.ExportedFile);
        lock (_gate)
        {
            _files[file.Name] = file;
            _file.Write(line);
            _file.WriteByte((byte)'\n');
            Libc.SyncData(_file);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    private static ExportedFile? Read(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, ExportJson.Default.ExportedFile);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Generated (de)serialization: no reflection at start-up.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ExportedFile))]
internal sealed partial class ExportJson : JsonSerializerContext;
