// Where the quarantine keeps things: <DLQ_PREFIX>/[<a write key's prefix>/]<name>.
using Estat.Base.Options;
using Estat.Collect.Batching;
using Estat.Collect.Options;
using Estat.Lake.Names;

namespace Estat.Collect.Dlq;

/// <summary>Keys of what cannot be read as gzip JSONL. They tell the prefix that a batch was made for, so that it goes there should it be sound after
/// all.</summary>
internal sealed class QuarantineKeys(CollectOptions options)
{
    private const string Raw = ".jsonl";

    /// <summary>Begins every key; ends with a slash.</summary>
    internal string Begin { get; } = options.Storage.DlqPrefix + "/";

    /// <summary>The one place of a batch with this key, or of what has only a name, in this form, whoever brings it there.</summary>
    internal string For(string key, BatchForm form)
    {
        string prefix = ObjectKeys.PrefixOf(key);
        string below = prefix.Length == 0 || prefix == options.Storage.RawPrefix ? "" : prefix + "/";
        return $"{Begin}{below}{ObjectKeys.NameOf(key)}{(form == BatchForm.Gzip ? ObjectKeys.Extension : Raw)}";
    }

    /// <summary>The name of what lies there, and under which prefix its batch was to be.</summary>
    internal (string Name, string Prefix) BatchOf(string quarantined)
    {
        string name = ObjectKeys.NameOf(quarantined);
        int end = quarantined.LastIndexOf('/');
        string prefix = end > Begin.Length ? quarantined[Begin.Length..end] : options.Storage.RawPrefix;
        return (name.EndsWith(Raw, StringComparison.Ordinal) ? name[..^Raw.Length] : name,
            KeyPrefix.WhyNot(prefix, options.Storage.Prefixes) is null ? prefix : options.Storage.RawPrefix);
    }
}
