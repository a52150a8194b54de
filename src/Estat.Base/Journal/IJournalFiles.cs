// What a journal needs of a file system. The real one is DiskFiles; tests put one in its place that forgets what was not synced.
namespace Estat.Base.Journal;

/// <summary>The files of one folder. Safe for concurrent use by different names.</summary>
internal interface IJournalFiles
{
    /// <summary>The folder, for messages.</summary>
    string Folder { get; }

    /// <summary>Makes an empty file; its entry is not durable before <see cref="SyncFolder"/>.</summary>
    /// <exception cref="IOException">The name is taken, or the disk refuses.</exception>
    IJournalFile Create(string name);

    /// <summary>Opens a file for reading and writing.</summary>
    /// <exception cref="IOException">It is not there, or the disk refuses.</exception>
    IJournalFile Open(string name);

    /// <summary>Names of the files in the folder, in no order.</summary>
    IReadOnlyList<string> Names();

    /// <summary>Whether the folder has a file of this name, wherever the folder's path leads; null when that cannot be asked.</summary>
    bool? Has(string name);

    /// <summary>Syncs the folder's entries to the device.</summary>
    void SyncFolder();

    /// <summary>Gives a file another name; its open file stays open. Not durable before <see cref="SyncFolder"/>.</summary>
    /// <exception cref="IOException">The name is taken, and what has it stays as it is; or the disk refuses.</exception>
    void Rename(string name, string to);

    /// <summary>Removes a file; not durable by itself. Nothing happens when it is gone.</summary>
    void Delete(string name);

    /// <summary>The content of a small file, of so many bytes at the most; null when it is not there.</summary>
    byte[]? ReadWhole(string name, int most);

    /// <summary>Replaces a small file, durably: afterwards, and after a crash, it is the old one or the new one.</summary>
    /// <exception cref="IOException">The disk refuses, or the file went into a folder that stands in this one's place.</exception>
    void Replace(string name, Action<Stream> write);

    /// <summary>Bytes that can still be written.</summary>
    long FreeBytes();
}

/// <summary>An open file. One user at a time.</summary>
internal interface IJournalFile : IDisposable
{
    /// <summary>Bytes.</summary>
    long Length { get; }

    /// <summary>
    /// Whether the folder still has it under this name, wherever the folder's path leads; if not, the next start would not find it. Null when that
    /// cannot be asked, on a network's file system above all: nobody may rely on it then, nor take it for lost.
    /// </summary>
    bool? HasName(string name);

    /// <summary>Writes all of it, or throws; how much of it is there then is unknown.</summary>
    void Write(long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Writes one piece behind the other, as <see cref="Write(long, ReadOnlySpan{byte})"/> does.</summary>
    void Write(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second);

    /// <summary>Reads up to the span's length; 0 at the end.</summary>
    int Read(long offset, Span<byte> bytes);

    /// <summary>Syncs content and length to the device (fdatasync). When it throws, nothing is known of what was written since the last
    /// one.</summary>
    void Sync();

    /// <summary>Cuts it; not durable before <see cref="Sync"/>.</summary>
    void Truncate(long length);
}
