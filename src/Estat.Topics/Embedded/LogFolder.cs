// The folder of the embedded log: whose it is, what is in it beside the journal, and how much room it has.
using System.Text.Json;
using Estat.Base.Files;
using Estat.Base.Journal;

namespace Estat.Topics.Embedded;

/// <summary>Its journal's segments, <c>topics.json</c>, which must not be lost, and <c>index</c>, which can be made again.</summary>
/// <param name="files">The folder.</param>
/// <param name="owner">Its lock; null in tests that cut the power.</param>
/// <param name="leastFree">TOPICS_MIN_FREE_BYTES.</param>
internal sealed class LogFolder(IJournalFiles files, DirectoryLock? owner, long leastFree) : IStateFiles, IDisposable
{
    private const string TopicsName = "topics.json";
    private const string IndexName = "index";
    private const int LargestTopics = 64 << 20;
    private const int LargestIndex = 1 << 30;

    /// <summary>The files.</summary>
    internal IJournalFiles Files => files;

    /// <summary>The folder, for messages.</summary>
    internal string Description => files.Folder;

    /// <summary>Whether the disk had less room than it should, when it was looked at last.</summary>
    internal bool IsShort { get; private set; }

    /// <summary>Takes TOPICS_DIR.</summary>
    /// <exception cref="IOException">It cannot be used, or another process owns it.</exception>
    internal static LogFolder Take(string path, long leastFree)
    {
        var owner = DirectoryLock.Take(path, "TOPICS_DIR");
        return new LogFolder(new DiskFiles(path, owner), owner, leastFree);
    }

    /// <summary>Looks at folder and disk.</summary>
    /// <returns>Why the log cannot be used any more; null while it can.</returns>
    internal string? Look()
    {
        IsShort = files.FreeBytes() < leastFree;
        return owner?.WhyNotInPlace() is { } why ? $"the folder of TOPICS_DIR ({Description}) {why}"
            : files.Has(TopicsName) == false ? $"{TopicsName} was removed from TOPICS_DIR ({Description})"
            : null;
    }

    /// <summary>Reads <c>topics.json</c>; null when there is none.</summary>
    /// <exception cref="IOException">It cannot be read, or is damaged.</exception>
    internal TopicFile? ReadTopics()
    {
        if (files.ReadWhole(TopicsName, LargestTopics) is not { } content)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(content, TopicFileJson.Default.TopicFile) ?? throw new JsonException("it holds null");
        }
        catch (JsonException error)
        {
            throw new IOException(
                $"{TopicsName} in TOPICS_DIR ({Description}) is damaged: {error.Message} Put it back from a backup. Without it the messages "
                    + "beside it cannot be read.", error);
        }
    }

    /// <summary>Replaces <c>topics.json</c>, durably.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal void WriteTopics(TopicFile topics) =>
        files.Replace(TopicsName, stream => JsonSerializer.Serialize(stream, topics, TopicFileJson.Default.TopicFile));

    /// <summary>Reads the index; null when there is none that can be used: what it says is in the journal as well.</summary>
    internal LogIndex? ReadIndex(string id)
    {
        try
        {
            return files.ReadWhole(IndexName, LargestIndex) is { } content ? LogIndex.Load(content, id) : null;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Where the index is, for messages.</summary>
    internal static string Index => IndexName;

    /// <summary>Replaces the index.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal void WriteIndex(LogIndex index, string id)
    {
        byte[] content = index.Save(id);
        files.Replace(IndexName, stream => stream.Write(content));
    }

    /// <inheritdoc/>
    string IStateFiles.PathOf(string name) => Path.Combine(Description, name);

    /// <inheritdoc/>
    byte[]? IStateFiles.Read(string name, int most) => files.ReadWhole(name, most);

    /// <inheritdoc/>
    void IStateFiles.Write(string name, Action<Stream> write) => files.Replace(name, write);

    /// <inheritdoc/>
    public void Dispose() => owner?.Dispose();
}
