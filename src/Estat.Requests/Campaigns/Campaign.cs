// A campaign as its store knows it at one moment.
using System.Security.Cryptography;

namespace Estat.Requests.Campaigns;

/// <summary>Immutable: the store publishes a new one with each commit that changes it.</summary>
internal sealed record Campaign
{
    private const int SeedSize = 32;

    /// <summary>What the operator calls it.</summary>
    public required string Id { get; init; }

    /// <summary>Its number in this store; never given again.</summary>
    public required int Ordinal { get; init; }

    /// <summary>What the operator said last.</summary>
    public required CampaignSettings Settings { get; init; }

    /// <summary>Rises with each change by the operator; the ETag.</summary>
    public required long Version { get; init; }

    /// <summary>What request ids are made with: 32 bytes. Never shown, never changed.</summary>
    public required ReadOnlyMemory<byte> Secret { get; init; }

    /// <summary>The draw's seed: 32 bytes. Shown after the draw alone.</summary>
    public required ReadOnlyMemory<byte> Seed { get; init; }

    /// <summary>When it closed; null while it has not. Nothing is accepted once it is set.</summary>
    public DateTimeOffset? ClosedAt { get; init; }

    /// <summary>Whether the operator has stopped its decisions. Requests are still accepted.</summary>
    public bool IsPaused { get; init; }

    /// <summary>The draw, once it was held.</summary>
    public DrawResult? Draw { get; init; }

    /// <summary>How many requests are in which state.</summary>
    public required CampaignCounts Counts { get; init; }

    /// <summary>The last sequence that was given.</summary>
    public long LastSequence { get; init; }

    /// <summary>Every sequence up to this one was decided once, or its first attempt was begun.</summary>
    public long Decided { get; init; }

    /// <summary>Whether a request was rejected because every place was taken: then capacity can grow no more.</summary>
    public bool HasTurnedAway { get; init; }

    /// <summary>A campaign that is new, with a secret and a seed of its own.</summary>
    internal static Campaign New(string id, int ordinal, CampaignSettings settings) => new()
    {
        Id = id,
        Ordinal = ordinal,
        Settings = settings,
        Version = 1,
        Secret = RandomNumberGenerator.GetBytes(RequestId.SecretSize),
        Seed = RandomNumberGenerator.GetBytes(SeedSize),
        Counts = default,
    };

    /// <summary>Whether it takes requests at a moment.</summary>
    internal CampaignWindow WindowAt(DateTimeOffset now) =>
        ClosedAt is not null || now >= Settings.ClosesAt ? CampaignWindow.Closed
        : now < Settings.OpensAt ? CampaignWindow.NotYet
        : CampaignWindow.Open;
}

/// <summary>Whether a campaign takes requests.</summary>
internal enum CampaignWindow
{
    /// <summary>It has not opened.</summary>
    NotYet,

    /// <summary>It does.</summary>
    Open,

    /// <summary>It has closed.</summary>
    Closed,
}

/// <summary>Requests by state. Accepted is counted apart: that it is the sum of the others is a promise, not a definition.</summary>
/// <param name="Accepted">Requests that were accepted.</param>
/// <param name="Received">Durable, not queued.</param>
/// <param name="Queued">Waiting.</param>
/// <param name="Processing">Being tried.</param>
/// <param name="Succeeded">With a place.</param>
/// <param name="Rejected">Without, by decision.</param>
/// <param name="Failed">In the dead letters.</param>
internal readonly record struct CampaignCounts(
    long Accepted, long Received, long Queued, long Processing, long Succeeded, long Rejected, long Failed)
{
    /// <summary>Requests that have no final state.</summary>
    internal long Open => Received + Queued + Processing;

    /// <summary>The sum over all states.</summary>
    internal long Sum => Open + Succeeded + Rejected + Failed;

    /// <summary>Requests in a state.</summary>
    internal long In(RequestState state) => state switch
    {
        RequestState.Received => Received,
        RequestState.Queued => Queued,
        RequestState.Processing => Processing,
        RequestState.Succeeded => Succeeded,
        RequestState.Rejected => Rejected,
        _ => Failed,
    };
}

/// <summary>What a draw fixed.</summary>
/// <param name="Count">Ids in the list.</param>
/// <param name="Cut">SHA-256 of the list, 64 hex digits.</param>
/// <param name="Beacon">The beacon's value as hex; null without a beacon.</param>
/// <param name="LastTicket">The highest ticket that won, 64 hex digits; empty when nobody took part.</param>
/// <param name="DrawnAt">When.</param>
internal sealed record DrawResult(long Count, string Cut, string? Beacon, string LastTicket, DateTimeOffset DrawnAt);
