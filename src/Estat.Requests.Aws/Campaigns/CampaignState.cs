// What this node knows of a campaign.
using Estat.Requests.Aws.Items;
using Estat.Requests.Campaigns;

namespace Estat.Requests.Aws.Campaigns;

/// <summary>
/// Three items, each as it was read last: what was read later never gives way to what was read before, in whatever order answers come. Any thread.
/// </summary>
internal sealed class CampaignState
{
    private readonly Lock _gate = new();
    private DirectoryItem _directory;
    private SequenceItem _sequence;
    private ProgressItem _progress = new();
    private BatchItem _batch;
    private volatile Campaign _campaign;

    /// <param name="directory">As it was read.</param>
    internal CampaignState(DirectoryItem directory)
    {
        _directory = directory;
        _sequence = new SequenceItem(0, 0, IsOpen: true);
        _campaign = Whole();
    }

    /// <summary>As this node knows it.</summary>
    internal Campaign Campaign => _campaign;

    /// <summary>Its id.</summary>
    internal string Id => _campaign.Id;

    /// <summary>All of it, as of one moment.</summary>
    internal (Campaign Campaign, DirectoryItem Directory, SequenceItem Sequence, ProgressItem Progress) Snapshot =>
        Read(() => (_campaign, _directory, _sequence, _progress));

    /// <summary>What the operator says.</summary>
    internal DirectoryItem Directory => Read(() => _directory);

    /// <summary>The counter.</summary>
    internal SequenceItem Sequence => Read(() => _sequence);

    /// <summary>The decider's progress.</summary>
    internal ProgressItem Progress => Read(() => _progress);

    /// <summary>The lake's progress.</summary>
    internal BatchItem Batch => Read(() => _batch);

    /// <summary>Outcomes that are not in the lake.</summary>
    internal long OutcomesPending => Read(() => Math.Max(0, _progress.Outcome - _batch.Stored));

    /// <summary>Since when the oldest of them waits, or a little less; milliseconds since 1970.</summary>
    internal long OutcomesSince => Read(() => Math.Max(_progress.OutcomeAt, _batch.StoredAt));

    /// <summary>Whether a node must own it: it may still have requests, or outcomes that are not in the lake.</summary>
    internal bool IsUnfinished => Read(() =>
        _directory.Campaign.ClosedAt is null || _progress.Sealed < _sequence.Last || _campaign.Counts.Open > 0 || _progress.Outcome > _batch.Stored);

    /// <summary>It was read.</summary>
    internal void See(DirectoryItem directory) => Change(() => _directory = directory.Revision >= _directory.Revision ? directory : _directory);

    /// <summary>It was read.</summary>
    internal void See(SequenceItem sequence) => Change(() => _sequence = new SequenceItem(
        Math.Max(_sequence.Last, sequence.Last), Math.Max(_sequence.Window, sequence.Window), _sequence.IsOpen && sequence.IsOpen));

    /// <summary>It was read.</summary>
    internal void See(ProgressItem progress) => Change(() => _progress = progress.IsNotBefore(_progress) ? progress : _progress);

    /// <summary>It was read.</summary>
    internal void See(BatchItem batch) => Change(() =>
        _batch = (batch.Number, batch.StoredAt).CompareTo((_batch.Number, _batch.StoredAt)) >= 0 ? batch : _batch);

    private T Read<T>(Func<T> read)
    {
        lock (_gate)
        {
            return read();
        }
    }

    private void Change(Action change)
    {
        lock (_gate)
        {
            change();
            _campaign = Whole();
        }
    }

    // Sequences that the decider has not come to count as requests until it finds that they are nobody's.
    private Campaign Whole()
    {
        ProgressItem progress = _progress;
        long accepted = progress.Accepted
            + Math.Max(0, _sequence.Last - progress.Sealed - progress.Skipped.Between(progress.Sealed, _sequence.Last));
        long queued = accepted - progress.Processing - progress.Succeeded - progress.Rejected - progress.Failed;
        return _directory.Campaign with
        {
            Counts = new CampaignCounts(
                accepted, 0, queued, progress.Processing, progress.Succeeded, progress.Rejected, progress.Failed),
            LastSequence = Math.Max(_sequence.Last, progress.Sealed),
            Decided = progress.Decided,
            HasTurnedAway = progress.HasTurnedAway,
        };
    }
}
