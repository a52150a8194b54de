// One write key as the operator describes it.
namespace Estat.Base.Access;

/// <summary>Who may send, and how much. Checked by <see cref="WriteKeyFile"/>; nothing here is the key itself.</summary>
public sealed record WriteKey
{
    /// <summary>What people and metrics call it; unique.</summary>
    public required string Name { get; init; }

    /// <summary>Hashes of the keys that count as this one; two or more while it is rotated, the newest last.</summary>
    public required IReadOnlyList<KeyHash> Hashes { get; init; }

    /// <summary>Pages that may send with it, such as <c>https://shop.example</c>; null is all. A request without <c>Origin</c> comes from no
    /// page.</summary>
    public IReadOnlyList<string>? Origins { get; init; }

    /// <summary>Events a second; null is any number.</summary>
    public double? Rate { get; init; }

    /// <summary>Events that may come at once; null is two seconds' worth of <see cref="Rate"/>, 1 at least.</summary>
    public double? Burst { get; init; }

    /// <summary>Events a UTC day; null is any number.</summary>
    public long? DailyQuota { get; init; }

    /// <summary>Key prefix of the objects of its events; null is <c>RAW_PREFIX</c>.</summary>
    public string? Prefix { get; init; }

    /// <summary>Whether it may read what is stored of topics; without, it only sends.</summary>
    public bool Read { get; init; }

    /// <summary>Topics that it may send to and read; null is all.</summary>
    public IReadOnlyList<string>? Topics { get; init; }

    /// <summary>Whether it is refused for now.</summary>
    public bool Disabled { get; init; }

    /// <summary>From when on it is refused; null is never.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>When it was made, as the command line notes it; of no other meaning.</summary>
    public DateTimeOffset? Created { get; init; }

    /// <summary>Whatever the operator wants to remember.</summary>
    public string? Note { get; init; }
}
