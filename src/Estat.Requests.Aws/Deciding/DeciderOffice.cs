// Which campaigns this node decides.
using System.Collections.Concurrent;
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Deciding;

/// <summary>
/// Takes campaigns that nobody has, and those whose decider was silent for a lease, by this node's own monotonic clock. No clock of another node
/// matters, and a decider that was only slow loses nothing but its campaign: the table refuses its fence. Whoever has many campaigns waits a little
/// longer before it takes another one, so that nodes share them.
/// </summary>
/// <param name="parts">What deciders work with.</param>
/// <param name="node">This node's name, another one at each start.</param>
internal sealed partial class DeciderOffice(DeciderParts parts, string node) : IAsyncDisposable
{
    private static readonly TimeSpan ForEachOwned = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MostPolite = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, (CampaignDecider Decider, Task Running)> _own = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Sight> _seen = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _ending = new();

    /// <summary>Campaigns that this node decides.</summary>
    internal int Count => _own.Count(own => !own.Value.Decider.IsOver);

    /// <summary>The decider of a campaign; null when it is not this node's.</summary>
    internal CampaignDecider? Find(string campaign) =>
        _own.TryGetValue(campaign, out (CampaignDecider Decider, Task Running) own) && !own.Decider.IsOver ? own.Decider : null;

    /// <summary>Takes what is to be had.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        foreach (CampaignState state in parts.Book.All)
        {
            bool isOwn = Find(state.Id) is not null;
            if (isOwn || !state.IsUnfinished)
            {
                _seen.Remove(state.Id);
            }

            try
            {
                if (!isOwn && state.IsUnfinished && IsToBeHad(state))
                {
                    await TryTakeAsync(state, cancellationToken).ConfigureAwait(false);
                }
            }
            catch (StoreException error)
            {
                // The others may be well; this one is tried again at the next look.
                LogNotTaken(parts.Logger, state.Id, error.Message);
            }
        }
    }

    /// <summary>Leaves all campaigns, so that other nodes take them at once.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        await Task.WhenAll(_own.Values.Select(own => ReleaseAsync(own.Decider.State))).ConfigureAwait(false);
        _ending.Dispose();
    }

    /// <summary>Ends without a word, as a node does that is killed.</summary>
    internal async Task StopAsync()
    {
        await _ending.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(_own.Values.Select(own => own.Running)).ConfigureAwait(false);
    }

    private bool IsToBeHad(CampaignState state)
    {
        ProgressItem progress = state.Progress;
        if (!_seen.TryGetValue(state.Id, out Sight sight) || sight.Fence != progress.Fence || sight.Beat != progress.Beat)
        {
            _seen[state.Id] = sight = new Sight(progress.Fence, progress.Beat, TimeProvider.System.GetTimestamp());
        }

        TimeSpan polite = ForEachOwned * Count;
        return TimeProvider.System.GetElapsedTime(sight.At)
            >= (progress.Owner is null ? polite < MostPolite ? polite : MostPolite : parts.Options.DeciderLease + polite);
    }

    private async Task TryTakeAsync(CampaignState state, CancellationToken cancellationToken)
    {
        ProgressItem progress = state.Progress;
        Item? taken = await parts.Table.UpdateAsync(progress.Claim(state.Id, node), cancellationToken).ConfigureAwait(false);
        if (taken is null)
        {
            await parts.Book.RefreshAsync(state.Id, cancellationToken).ConfigureAwait(false);
            progress = state.Progress;
            if (progress.Owner != node)
            {
                return;
            }
        }
        else
        {
            state.See(progress = ProgressItem.Read(taken));
        }

        var decider = new CampaignDecider(parts, state, progress.Fence);
        _own[state.Id] = (decider, Task.Run(() => decider.RunAsync(_ending.Token), CancellationToken.None));
    }

    private async Task ReleaseAsync(CampaignState state)
    {
        try
        {
            if (state.Progress.Owner == node)
            {
                await parts.Table.UpdateAsync(state.Progress.Release(state.Id)).ConfigureAwait(false);
            }
        }
        catch (StoreException)
        {
            // Another node takes it after the lease.
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Campaign {Campaign} could not be taken over now, and is tried again: {Error}")]
    private static partial void LogNotTaken(ILogger logger, string campaign, string error);

    // A decider's beat, and since when this node sees it.
    private readonly record struct Sight(long Fence, long Beat, long At);
}
