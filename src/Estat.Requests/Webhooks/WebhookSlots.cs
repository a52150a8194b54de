// Which campaigns may call their endpoints now, and how often at once.
using Estat.Requests.Campaigns;

namespace Estat.Requests.Webhooks;

/// <summary>
/// Calls at once are bounded for each campaign by its own setting, and over all by REQUESTS_WEBHOOK_CALLS, of which one campaign may hold half. Slots
/// go round: the first campaign that got none for lack of room is the first of the next round. Any thread.
/// </summary>
/// <param name="most">REQUESTS_WEBHOOK_CALLS.</param>
/// <param name="time">The clock.</param>
internal sealed class WebhookSlots(int most, TimeProvider time)
{
    private static readonly TimeSpan LongestProbeWait = TimeSpan.FromMinutes(5);

    private readonly Lock _gate = new();
    private readonly Dictionary<int, Calls> _campaigns = [];
    private int _running;
    private int _first;

    /// <summary>Slots that are taken.</summary>
    internal int Running => Volatile.Read(ref _running);

    /// <summary>Campaigns whose endpoints fail, so that only probes call them.</summary>
    internal int OpenBreakers
    {
        get
        {
            lock (_gate)
            {
                return _campaigns.Values.Count(calls => calls.Breaker.IsOpen);
            }
        }
    }

    /// <summary>Takes slots for every campaign that has requests waiting and may call.</summary>
    internal IReadOnlyList<WebhookTurn> Take(IEnumerable<Campaign> campaigns)
    {
        Campaign[] waiting = [.. campaigns.Where(IsWaiting).OrderBy(campaign => campaign.Ordinal)];
        var turns = new List<WebhookTurn>();
        lock (_gate)
        {
            int? next = null;
            foreach (Campaign campaign in waiting.Where(campaign => campaign.Ordinal >= _first).Concat(
                waiting.Where(campaign => campaign.Ordinal < _first)))
            {
                Calls calls = Of(campaign);
                int wanted = calls.Breaker.Allow((int)Math.Min(FreeOf(campaign, calls), campaign.Counts.Received + campaign.Counts.Queued));
                int given = Math.Min(wanted, most - _running);
                if (given > 0)
                {
                    calls.Running += given;
                    _running += given;
                    turns.Add(new WebhookTurn(campaign, given));
                }
                else if (wanted > 0)
                {
                    next ??= campaign.Ordinal;
                }
            }

            _first = next ?? _first;
        }

        return turns;
    }

    /// <summary>Gives slots back.</summary>
    internal void Release(Campaign campaign, int slots)
    {
        lock (_gate)
        {
            Of(campaign).Running -= slots;
            _running -= slots;
        }
    }

    /// <summary>A call begins in a slot that was taken.</summary>
    /// <returns>Whether it is a probe.</returns>
    internal bool Begin(Campaign campaign)
    {
        lock (_gate)
        {
            return Of(campaign).Breaker.Begin();
        }
    }

    /// <summary>A call has ended; its slot is still taken.</summary>
    internal WebhookVerdict End(Campaign campaign, bool isProbe, bool isFailure)
    {
        lock (_gate)
        {
            Breaker breaker = Of(campaign).Breaker;
            bool wasOpen = breaker.IsOpen;

            // A probe's request waits as long again as the outage has lasted: the next probes try others. Else one request that the endpoint cannot
            // digest could keep the campaign closed for ever.
            TimeSpan wait = isProbe ? TimeSpan.FromTicks(Math.Min(breaker.OpenFor.Ticks, LongestProbeWait.Ticks)) : TimeSpan.Zero;
            breaker.End(isProbe, isFailure);
            return new WebhookVerdict(!wasOpen, wait, wasOpen != breaker.IsOpen);
        }
    }

    private static bool IsWaiting(Campaign campaign) =>
        campaign is { IsPaused: false, Settings.Policy: CampaignPolicy.Webhook } && campaign.Counts.Received + campaign.Counts.Queued > 0;

    private int FreeOf(Campaign campaign, Calls calls) =>
        Math.Max(0, Math.Min(campaign.Settings.Webhook!.Concurrency, Math.Max(1, most / 2)) - calls.Running);

    private Calls Of(Campaign campaign)
    {
        if (!_campaigns.TryGetValue(campaign.Ordinal, out Calls? calls))
        {
            _campaigns.Add(campaign.Ordinal, calls = new Calls(new Breaker(time)));
        }

        return calls;
    }

    private sealed class Calls(Breaker breaker)
    {
        internal Breaker Breaker { get; } = breaker;

        internal int Running { get; set; }
    }
}

/// <summary>A campaign may begin calls.</summary>
/// <param name="Campaign">As it is now.</param>
/// <param name="Slots">How many.</param>
internal readonly record struct WebhookTurn(Campaign Campaign, int Slots);

/// <summary>What the end of a call means.</summary>
/// <param name="IsCounted">Whether a failure uses up an attempt: not while the campaign's breaker is open.</param>
/// <param name="LeastWait">Until the next attempt, if it failed.</param>
/// <param name="HasTurned">Whether it has opened or closed the breaker.</param>
internal readonly record struct WebhookVerdict(bool IsCounted, TimeSpan LeastWait, bool HasTurned);
