// Keys: <prefix>/dt=YYYY-MM-DD/hr=HH/<unix>_<instance>_<counter>.jsonl.gz, decided when a batch opens and never changed after.
using System.Globalization;
using Estat.Base.Threading;

namespace Estat.Lake.Names;

/// <summary>
/// Makes and takes apart the names of batches. The instance is the spool's id and the number of its start, and the counter is node-wide, so two keys
/// never collide, whatever clocks and hostnames do.
/// </summary>
public sealed class ObjectKeys
{
    /// <summary>Ends every object's and every DLQ payload's name.</summary>
    public const string Extension = ".jsonl.gz";

    /// <summary>Ends the name, before the extension, of an object that holds what the one under the key without it lacks.</summary>
    internal const string RestSuffix = "_rest";

    private readonly string _prefix;
    private readonly ObjectKeys? _root;
    private long _counter;

    /// <param name="prefix">Begins every key.</param>
    /// <param name="instance">This start of this node.</param>
    public ObjectKeys(string prefix, string instance)
    {
        _prefix = prefix;
        Instance = instance;
    }

    private ObjectKeys(string prefix, ObjectKeys root)
        : this(prefix, root.Instance) => _root = root;

    /// <summary>This start of this node; part of every name that it makes.</summary>
    public string Instance { get; }

    /// <summary>Keys below another prefix. Their names are counted with these: a name says a batch, whatever its prefix.</summary>
    public ObjectKeys Under(string prefix) => new(prefix, _root ?? this);

    /// <summary>128 random bits as 32 hex digits.</summary>
    public static string NewInstance() => $"{RandomBits.Next():x16}{RandomBits.Next():x16}";

    /// <summary>The key of a batch that opens now.</summary>
    public string Next(DateTimeOffset opened)
    {
        string name = string.Create(
            CultureInfo.InvariantCulture, $"{opened.ToUnixTimeSeconds()}_{Instance}_{Interlocked.Increment(ref (_root ?? this)._counter)}");
        return ForName(name, opened);
    }

    /// <summary>The key that a batch of this name, opened then, has; how a DLQ payload without its meta finds its place.</summary>
    public string ForName(string name, DateTimeOffset opened) =>
        string.Create(CultureInfo.InvariantCulture, $"{_prefix}/dt={opened.UtcDateTime:yyyy-MM-dd}/hr={opened.UtcDateTime:HH}/{name}{Extension}");

    /// <summary>The last segment of a key without <see cref="Extension"/>.</summary>
    public static string NameOf(string key)
    {
        string file = key[(key.LastIndexOf('/') + 1)..];
        return file.EndsWith(Extension, StringComparison.Ordinal) ? file[..^Extension.Length] : file;
    }

    /// <summary>What stands before the day in a key; empty for a mere name.</summary>
    public static string PrefixOf(string key) => key.LastIndexOf("/dt=", StringComparison.Ordinal) is > 0 and int end ? key[..end] : "";

    /// <summary>The same key with a suffix on its name: <c>a/b.jsonl.gz</c>, <c>_rest</c> → <c>a/b_rest.jsonl.gz</c>.</summary>
    public static string WithSuffix(string key, string suffix) =>
        key.EndsWith(Extension, StringComparison.Ordinal) ? key[..^Extension.Length] + suffix + Extension : key + suffix;

    /// <summary>The opening time that a name begins with; null for a name that this class did not make.</summary>
    public static DateTimeOffset? OpenedOf(ReadOnlySpan<char> name)
    {
        int underscore = name.IndexOf('_');
        const long LastSecondOfYear9999 = 253_402_300_799;
        return underscore > 0 && long.TryParse(name[..underscore], NumberStyles.None, CultureInfo.InvariantCulture, out long seconds)
            && seconds <= LastSecondOfYear9999
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : null;
    }

    /// <summary>Which start of which node made the key; empty for a key that no node made.</summary>
    public static string InstanceOf(string key)
    {
        string name = NameOf(key);
        int first = name.IndexOf('_');
        int last = name.LastIndexOf('_');
        return first >= 0 && last > first ? name[(first + 1)..last] : "";
    }

    /// <summary>Whether this start of this node made the name.</summary>
    public bool IsOwn(ReadOnlySpan<char> name)
    {
        int underscore = name.IndexOf('_');
        return underscore > 0 && name[(underscore + 1)..] is var rest && rest.StartsWith(Instance, StringComparison.Ordinal)
            && rest[Instance.Length..] is ['_', ..];
    }
}
