// The file that the verbs change.
using Estat.Base.Access;
using Estat.Base.Files;
using Estat.Cli.Frame;

namespace Estat.Cli.Keys;

/// <summary>
/// Read, changed, checked and replaced as a whole, so that a server that reads it meanwhile sees the old one or the new one. Two who change it at
/// once are kept apart by a lock beside it.
/// </summary>
internal sealed class KeyStore
{
    private const string DefaultFile = "keys.json";

    private readonly Option<string?> _file = new(
        "--file") { Description = $"The file. Without it WRITE_KEYS_FILE, else {DefaultFile}", HelpName = "FILE" };

    internal static KeyStore In(Command command)
    {
        var store = new KeyStore();
        command.Options.Add(store._file);
        return store;
    }

    internal string Path(ParseResult parsed) =>
        System.IO.Path.GetFullPath(
            parsed.GetValue(_file) ?? (Environment.GetEnvironmentVariable("WRITE_KEYS_FILE") is { Length: > 0 } named ? named : DefaultFile));

    /// <summary>The keys that are there.</summary>
    /// <exception cref="CliException">The file is not there, or cannot be used.</exception>
    internal static IReadOnlyList<WriteKey> Read(string path) =>
        File.Exists(path) ? Parse(path)
            : throw new CliException($"{path}: there is no such file; `estat keys new --name NAME --file {path}` makes it");

    /// <summary>Changes the keys; a file that is not there counts as one without keys.</summary>
    /// <param name="path">The file.</param>
    /// <param name="change">The new keys, given those that are there.</param>
    internal static void Change(string path, Func<IReadOnlyList<WriteKey>, IReadOnlyList<WriteKey>> change)
    {
        string folder = System.IO.Path.GetDirectoryName(path)!;
        if (!Directory.Exists(folder))
        {
            throw new CliException($"{path}: there is no folder {folder}");
        }

        using FileStream held = HeldFile.Of(path, $"{path}.lock is locked: another process is changing the keys. Try again in a moment");
        bool exists = File.Exists(path);
        IReadOnlyList<WriteKey> keys = change(exists ? Parse(path) : []);
        try
        {
            WriteKeyFile.Check(keys);
        }
        catch (WriteKeyException error)
        {
            throw new CliException($"{path} was not changed: {error.Message}");
        }

        // A link, as configuration is often one, stays a link.
        string target = (exists ? new FileInfo(path) : null)?.ResolveLinkTarget(returnFinalTarget: true)?.FullName ?? path;
        AtomicFile.Write(target, stream => WriteKeyFile.Write(stream, keys), keepsAccess: true);
    }

    private static IReadOnlyList<WriteKey> Parse(string path)
    {
        try
        {
            return WriteKeyFile.Parse(File.ReadAllBytes(path), prefixes: null);
        }
        catch (WriteKeyException error)
        {
            throw new CliException($"{path}: {error.Message}. Nothing was changed; repair the file first (docs/keys.md describes it)");
        }
    }
}
