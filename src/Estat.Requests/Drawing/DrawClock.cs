// Holds the draws that need nothing from the operator, once their campaigns have closed.
using Estat.Base.Logging;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Drawing;

/// <summary>
/// Looks once a second. A draw with a beacon waits for the beacon's value; one of a paused campaign, or of a store that was restored, for the
/// operator: the lost store may have held it already.
/// </summary>
/// <param name="store">Where campaigns are.</param>
/// <param name="office">Who draws.</param>
/// <param name="time">The clock.</param>
/// <param name="logger">Where a draw is told.</param>
internal sealed partial class DrawClock(IRequestStore store, DrawOffice office, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Step = TimeSpan.FromSeconds(1);
    private readonly ToldFault _trouble = new();

    /// <summary>Runs until it is cancelled.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Step, time);
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
        {
            foreach (Campaign campaign in store.IsHeld ? [] : store.Campaigns.Where(IsDue))
            {
                await TryDrawAsync(campaign, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static bool IsDue(Campaign campaign) =>
        campaign is { ClosedAt: not null, Draw: null, IsPaused: false, Settings: { Policy: CampaignPolicy.Draw, Beacon: null } };

    private async Task TryDrawAsync(Campaign campaign, CancellationToken cancellationToken)
    {
        try
        {
            (_, Campaign? drawn, _) = await office.DrawAsync(campaign.Id, null, cancellationToken).ConfigureAwait(false);
            _trouble.End();
            if (drawn?.Draw is { } draw)
            {
                LogDrawn(logger, campaign.Id, draw.Count, draw.Cut);
            }
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            if (_trouble.IsNews(campaign.Id))
            {
                LogNotDrawn(logger, campaign.Id, error.Message);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information,
        Message = "Campaign {Campaign}: the draw was held over {Count} requests; the list's SHA-256 is {Cut}")]
    private static partial void LogDrawn(ILogger logger, string campaign, long count, string cut);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Campaign {Campaign}: the draw could not be held now and is tried again: {Error}")]
    private static partial void LogNotDrawn(ILogger logger, string campaign, string error);
}
