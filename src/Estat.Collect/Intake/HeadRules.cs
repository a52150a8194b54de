// What a request's head alone says against taking its events.
using Estat.Base.Acks;
using Estat.Collect.Options;
using Estat.Http.Intake;
using Microsoft.Extensions.Primitives;

namespace Estat.Collect.Intake;

/// <summary>The node's state, the ack level, lengths. Asked before a body is read, so that a full node answers at once. Any thread.</summary>
/// <param name="options">Limits, and the level of requests that name none.</param>
/// <param name="levels">The levels that this node offers.</param>
/// <param name="ingest">Whether the node takes events now.</param>
/// <param name="refusals">The answers.</param>
internal sealed class HeadRules(CollectOptions options, IReadOnlyList<AckLevel> levels, IIngest ingest, CollectRefusals refusals)
{
    /// <summary>Bytes that an event may have.</summary>
    internal int LargestEvent { get; } = options.MaxBodySize;

    /// <summary>Looks at a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="isBatch">Which limit holds for its length.</param>
    /// <param name="prefix">Where its events would go; null is <c>RAW_PREFIX</c>.</param>
    /// <param name="level">The ack level that it asks for.</param>
    /// <returns>Why it is not taken; null when it goes on. The node's state comes first, as it holds for whatever was sent.</returns>
    internal Refusal? RefuseUnread<TRequest>(TRequest request, bool isBatch, string? prefix, out AckLevel level)
        where TRequest : struct, IRequestView
    {
        bool isOffered = TryReadLevel(request.AckLevel, out level);
        Admission outlook = ingest.Outlook(isOffered ? level : options.Ack, prefix);
        long? length = request.ContentLength;
        return outlook != Admission.Accepted ? refusals.Of(outlook)
            : length > (isBatch ? options.MaxBatchBodySize : LargestEvent) ? isBatch ? refusals.BatchTooLarge : refusals.EventTooLarge
            : length is null && !IsOnlyChunked(request.TransferEncoding) ? refusals.TransferCoding
            : isOffered ? null
            : refusals.AckLevel;
    }

    // A server undoes chunks and no other transfer coding: what remained coded would be stored as it is.
    private static bool IsOnlyChunked(StringValues coding) =>
        coding.Count == 0 || (coding.Count == 1 && string.Equals(coding[0]!.Trim(), "chunked", StringComparison.OrdinalIgnoreCase));

    // False for a level that is not offered, or several.
    private bool TryReadLevel(StringValues asked, out AckLevel level)
    {
        level = options.Ack;
        if (asked.Count == 0)
        {
            return true;
        }

        if (asked.Count > 1 || AckLevels.Parse(asked[0]) is not { } named || !levels.Contains(named))
        {
            return false;
        }

        level = named;
        return true;
    }
}
