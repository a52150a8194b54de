// The one way in which what a run has done so far is kept in a file: JSON, whole or not at all.
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Estat.Base.Files;

/// <summary>State that a later run goes on from. Paths may be relative: to the working directory, as whoever named them meant.</summary>
internal static class JsonFile
{
    private const int Longest = 256 << 20;

    /// <summary>Null when there is none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="type">What it holds.</param>
    /// <param name="what">What it would be, for the message: <c>a checkpoint of replay</c>.</param>
    /// <param name="advice">What to do about one that is damaged.</param>
    /// <exception cref="IOException">It cannot be read, is damaged, or holds something else.</exception>
    internal static T? Read<T>(string path, JsonTypeInfo<T> type, string what, string advice)
        where T : class
    {
        byte[] content;
        try
        {
            content = RegularFile.ReadAllBytes(path, Longest);
        }
        catch (FileNotFoundException)
        {
            return null;
        }

        try
        {
            return JsonSerializer.Deserialize(content, type) ?? throw new JsonException("it holds null");
        }
        catch (JsonException error)
        {
            throw new IOException($"{path}: is no {what} ({error.Message.TrimEnd('.')}). {advice}", error);
        }
    }

    /// <summary>Replaces it, durably.</summary>
    internal static void Write<T>(string path, T content, JsonTypeInfo<T> type) =>
        AtomicFile.Write(Path.GetFullPath(path), file => JsonSerializer.Serialize(file, content, type));
}
