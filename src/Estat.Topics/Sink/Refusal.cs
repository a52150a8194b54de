namespace Estat.Topics.Sink;

/// <summary>Why a message, or its typed row, cannot be stored as it is.</summary>
/// <param name="Code">A short code, for machines; one of <see cref="RefusalCode"/>.</param>
/// <param name="Detail">A sentence for the operator, without the message's content.</param>
internal sealed record Refusal(string Code, string Detail);

/// <summary>Codes of refusals: <c>reason</c> in <c>dead_letters</c>.</summary>
internal static class RefusalCode
{
    /// <summary>The value is no JSON.</summary>
    internal const string NotJson = "not-json";

    /// <summary>Value or key is no UTF-8.</summary>
    internal const string NotUtf8 = "not-utf8";

    /// <summary>U+0000 in a string, a member's name or the key.</summary>
    internal const string Nul = "nul";

    /// <summary>Half of a surrogate pair in a string or a member's name.</summary>
    internal const string LoneSurrogate = "lone-surrogate";

    /// <summary>Nested too deep.</summary>
    internal const string TooDeep = "too-deep";

    /// <summary>A number that PostgreSQL cannot keep.</summary>
    internal const string Number = "number";

    /// <summary>Longer than PostgreSQL can keep, or index.</summary>
    internal const string TooLong = "too-long";

    /// <summary>A header's name.</summary>
    internal const string Header = "header";

    /// <summary>Its time is not between 1970 and 9999.</summary>
    internal const string Time = "time";

    /// <summary>A typed row's member is missing.</summary>
    internal const string Missing = "missing";

    /// <summary>A typed row's member has another type.</summary>
    internal const string WrongType = "wrong-type";

    /// <summary>PostgreSQL refused the row.</summary>
    internal const string Refused = "refused";

    /// <summary>The operator gave it up.</summary>
    internal const string GivenUp = "given-up";

    /// <summary>It waits behind a dead letter of its key.</summary>
    internal const string Held = "held";
}
