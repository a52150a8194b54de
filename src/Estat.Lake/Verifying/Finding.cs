// What a verification finds wrong.
namespace Estat.Lake.Verifying;

/// <summary>Kinds of findings; their names are those of <c>--json</c>.</summary>
public static class FindingKind
{
    /// <summary>The store does not give it: archived, its KMS key gone, denied by a policy.</summary>
    public const string Unreadable = "unreadable";

    /// <summary>The gzip is broken or cut, or a line has no end.</summary>
    public const string Gzip = "gzip";

    /// <summary>A line is no JSON, or lacks a field of the envelope.</summary>
    public const string Line = "line";

    /// <summary>Count, bytes or SHA-256 are not those of the seal.</summary>
    public const string Seal = "seal";

    /// <summary>The metadata holds no seal.</summary>
    public const string NoSeal = "no-seal";

    /// <summary>Content-Type or Content-Encoding are not those of an object of Estat.</summary>
    public const string Metadata = "metadata";

    /// <summary>No node made this key.</summary>
    public const string ForeignKey = "foreign-key";

    /// <summary>The same lines lie under another key as well.</summary>
    public const string DuplicateObject = "duplicate-object";

    /// <summary>The same batch lies in another folder as well.</summary>
    public const string SameBatch = "same-batch";

    /// <summary>A remainder repeats events of the object that it completes.</summary>
    public const string Overlap = "overlap";

    /// <summary>Between an object and its remainder events are missing.</summary>
    public const string Gap = "gap";

    /// <summary>Stored under another key because something foreign lay under its own.</summary>
    public const string Conflict = "conflict";

    /// <summary>An event is there more than once.</summary>
    public const string DuplicateEvent = "duplicate-event";
}

/// <summary>One thing that is wrong.</summary>
/// <param name="Kind">One of <see cref="FindingKind"/>.</param>
/// <param name="Key">Where.</param>
/// <param name="Line">In which line, from 1; null: in the object.</param>
/// <param name="Detail">What, for people.</param>
public sealed record Finding(string Kind, string Key, long? Line, string Detail);
