// Who asks: a small port, so that queries need not know keys and tokens.
using Estat.Base.Access;
using Estat.Http.Intake;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>Somebody who may ask.</summary>
/// <param name="Key">The key that was shown; null: every topic is theirs.</param>
internal sealed record Reader(Sender? Key)
{
    /// <summary>Whether they may ask for all topics at once.</summary>
    internal bool HasAnyTopic => Key is null or { HasAnyTopic: true };

    /// <summary>Whether they may ask for a topic.</summary>
    internal bool MayUse(string topic) => Key?.MayUse(topic) ?? true;
}

/// <summary>Who asks, or why they may not.</summary>
/// <param name="Reader">Null when they may not.</param>
/// <param name="Refusal">The answer then.</param>
internal readonly record struct ReaderAnswer(Reader? Reader, Refusal? Refusal);

/// <summary>Finds out who asks. Any thread.</summary>
internal interface IReaders
{
    /// <summary>Looks at what a request shows.</summary>
    ValueTask<ReaderAnswer> FindAsync(HttpContext context);
}
