// A file of write keys, and the keys.
using System.Text.Json;
using Estat.Base.Access;
using Estat.Testing;

namespace Estat.Api.Tests.Access;

/// <summary>Writes WRITE_KEYS_FILE; each key's text is made from its name.</summary>
internal sealed class KeyFile : IDisposable
{
    private readonly TempFolder _folder = new();

    internal KeyFile(params object[] keys) => Write(keys);

    internal string Path => _folder["keys.json"];

    /// <summary>The key of that name.</summary>
    internal static string Key(string name) => $"estat_{name}_0123456789abcdefghijkl";

    /// <summary>What a file holds of it.</summary>
    internal static string Hash(string name) => KeyHash.TryOf(Key(name), out KeyHash hash) ? hash.ToString() : throw new ArgumentException(name);

    /// <summary>Replaces the file, as an editor does.</summary>
    internal void Write(params object[] keys) => WriteText(JsonSerializer.Serialize(new { keys }));

    internal void WriteText(string text)
    {
        File.WriteAllText(Path + ".next", text);
        File.Move(Path + ".next", Path, overwrite: true);
    }

    public void Dispose() => _folder.Dispose();
}
