using Estat.Base.Access;
using Estat.Http.Access;

namespace Estat.Topics.Http;

/// <summary>Who may produce and read.</summary>
/// <param name="Keys">The write keys; null without. Their owner's.</param>
/// <param name="KeyOptions">How they were opened.</param>
/// <param name="StartsKeys">Whether nobody else on the node starts them.</param>
/// <param name="Tokens">Options of users' tokens.</param>
internal sealed record TopicsAccess(WriteKeys? Keys, WriteKeyOptions KeyOptions, bool StartsKeys, TokenOptions Tokens)
{
    /// <summary>Whether requests without a key are taken although there are keys.</summary>
    internal bool IsOpen => KeyOptions.OpenIngest;
}
