// A campaign while a transaction changes it.
using Estat.Requests.Campaigns;

namespace Estat.Requests.Sqlite;

/// <summary>
/// The writer thread's. What others see is <see cref="Published"/>, which changes with a commit alone. What changes with every request is held in
/// plain numbers, and put into the record once a transaction.
/// </summary>
internal sealed class CampaignEntry
{
    private Campaign _current;
    private Numbers _numbers;
    private Numbers _published;

    internal CampaignEntry(Campaign campaign)
    {
        Published = campaign;
        _current = campaign;
        _numbers = _published = Numbers.Of(campaign);
    }

    /// <summary>As of the last commit.</summary>
    internal Campaign Published { get; private set; }

    /// <summary>As the running transaction has it, but for the numbers below.</summary>
    internal Campaign Current => _current;

    /// <summary>Its number in the store.</summary>
    internal int Ordinal => Published.Ordinal;

    /// <summary>The last sequence that was given.</summary>
    internal long LastSequence => _numbers.LastSequence;

    /// <summary>The last sequence that the last commit made durable.</summary>
    internal long LastCommitted => _published.LastSequence;

    /// <summary>Every sequence up to this one was decided once, or its first attempt was begun.</summary>
    internal long Decided
    {
        get => _numbers.Decided;
        set => _numbers.Decided = value;
    }

    /// <summary>Places that are taken.</summary>
    internal long Succeeded => _numbers.Counts.Succeeded;

    /// <summary>Whether the transaction has changed it.</summary>
    internal bool IsChanged => !ReferenceEquals(Published, _current) || _numbers != _published;

    /// <summary>The campaign as a commit of now would leave it.</summary>
    internal Campaign Whole =>
        _current with { Counts = _numbers.Counts, LastSequence = _numbers.LastSequence, Decided = _numbers.Decided };

    /// <summary>Changes what the operator, the clock or a draw changes.</summary>
    internal void Change(Func<Campaign, Campaign> change) => _current = change(_current);

    /// <summary>Gives the next sequence, and counts a request that was accepted.</summary>
    internal long Accept(RequestState state)
    {
        _numbers.Counts = With(_numbers.Counts with { Accepted = _numbers.Counts.Accepted + 1 }, state, 1);
        return ++_numbers.LastSequence;
    }

    /// <summary>Counts a request that goes from one state to another.</summary>
    internal void Move(RequestState from, RequestState to) => _numbers.Counts = With(With(_numbers.Counts, from, -1), to, 1);

    /// <summary>The transaction was committed.</summary>
    internal void Commit()
    {
        Published = _current = Whole;
        _published = _numbers;
    }

    /// <summary>The transaction was rolled back.</summary>
    internal void RollBack()
    {
        _current = Published;
        _numbers = _published;
    }

    private static CampaignCounts With(CampaignCounts counts, RequestState state, long by) => state switch
    {
        RequestState.Received => counts with { Received = counts.Received + by },
        RequestState.Queued => counts with { Queued = counts.Queued + by },
        RequestState.Processing => counts with { Processing = counts.Processing + by },
        RequestState.Succeeded => counts with { Succeeded = counts.Succeeded + by },
        RequestState.Rejected => counts with { Rejected = counts.Rejected + by },
        _ => counts with { Failed = counts.Failed + by },
    };

    private record struct Numbers(CampaignCounts Counts, long LastSequence, long Decided)
    {
        internal static Numbers Of(Campaign campaign) => new(campaign.Counts, campaign.LastSequence, campaign.Decided);
    }
}
