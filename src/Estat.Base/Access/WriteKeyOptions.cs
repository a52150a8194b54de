// Which write keys there are: the part of the options that WriteKeys reads.
using Estat.Base.Options;

namespace Estat.Base.Access;

/// <summary>Where keys are listed, and which prefixes they may name.</summary>
public sealed record WriteKeyOptions
{
    /// <summary>JSON file of write keys, read again when it changes; null has none.</summary>
    public string? File { get; init; }

    /// <summary>Write keys besides, as <c>WRITE_KEYS</c> lists them; only their hashes are kept.</summary>
    public IReadOnlyList<WriteKey> Listed { get; init; } = [];

    /// <summary>Whether requests without a write key are taken although keys are configured.</summary>
    public bool OpenIngest { get; init; }

    /// <summary>What a key's prefix is checked against.</summary>
    public KeyPrefixes Prefixes { get; init; } = new("raw", "raw_dlq");

    /// <summary>Whether any key can be configured; without one, everybody may send.</summary>
    public bool AreConfigured => File is not null || Listed.Count > 0;
}
