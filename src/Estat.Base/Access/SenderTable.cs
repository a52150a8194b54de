// All write keys of one reading.
using Estat.Base.Options;

namespace Estat.Base.Access;

/// <summary>Looks a key up by the hash of what was sent. Never changes; a new reading is a new table.</summary>
public sealed class SenderTable
{
    private readonly Dictionary<KeyHash, Sender> _byHash = [];
    private readonly PageOrigins _origins;

    internal SenderTable(IEnumerable<Sender> senders)
    {
        Senders = [.. senders];
        foreach (Sender sender in Senders)
        {
            foreach (KeyHash hash in sender.Key.Hashes)
            {
                _byHash.Add(hash, sender);
            }
        }

        _origins = new PageOrigins(Senders.SelectMany(sender => sender.Key.Origins ?? []));
    }

    /// <summary>Every key.</summary>
    internal IReadOnlyList<Sender> Senders { get; }

    /// <summary>The key that a text is; null when it is none.</summary>
    public Sender? Find(ReadOnlySpan<char> text) =>
        KeyHash.TryOf(text, out KeyHash hash) && _byHash.TryGetValue(hash, out Sender? sender) ? sender : null;

    /// <summary>Whether any key names the origin: what a preflight, which brings no key, is answered by.</summary>
    public bool AnyNames(string origin) => _origins.Allows(origin);
}
