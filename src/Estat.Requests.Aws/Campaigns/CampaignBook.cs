// All campaigns that this node knows, and how it comes to know what other nodes did.
using System.Collections.Concurrent;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Campaigns;

namespace Estat.Requests.Aws.Campaigns;

/// <summary>
/// The store's item has a number that rises with each change of any campaign: it is read once a second, and the campaigns when it has risen. Counters
/// and progress of campaigns that are not finished are read once a second; of others every 10 seconds. Any thread.
/// </summary>
/// <param name="table">The table.</param>
internal sealed class CampaignBook(DynamoTable table)
{
    /// <summary>Counts campaigns, for their numbers.</summary>
    internal const string CountName = "c";

    /// <summary>Rises with each change of any campaign.</summary>
    internal const string RevisionName = "rv";

    /// <summary>Whether the operator has to look first.</summary>
    internal const string HeldName = "he";

    /// <summary>The store's life.</summary>
    internal const string EpochName = "ep";

    private const int BetweenFinished = 10;

    private readonly ConcurrentDictionary<string, CampaignState> _campaigns = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, CampaignState> _byOrdinal = new();
    private long _revision = -1;
    private int _looks;
    private volatile StoreItem? _store;

    /// <summary>The store; null before it was read.</summary>
    internal StoreItem? Store => _store;

    /// <summary>All campaigns.</summary>
    internal IEnumerable<CampaignState> All => _campaigns.Values;

    /// <summary>All campaigns, as others see them.</summary>
    internal IReadOnlyCollection<Campaign> Published => [.. _campaigns.Values.Select(state => state.Campaign)];

    /// <summary>A campaign; null when this node knows none of this id.</summary>
    internal CampaignState? Find(string id) => _campaigns.GetValueOrDefault(id);

    /// <summary>A campaign; null when this node knows none of this number.</summary>
    internal CampaignState? Find(int ordinal) => _byOrdinal.GetValueOrDefault(ordinal);

    /// <summary>Reads what has changed.</summary>
    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        StoreItem store = _store = await ReadStoreAsync(cancellationToken).ConfigureAwait(false);
        if (store.Revision != _revision)
        {
            foreach (Item item in await table.QueryAsync(Keys.Campaigns, cancellationToken: cancellationToken).ConfigureAwait(false))
            {
                See(item);
            }

            _revision = store.Revision;
        }

        bool areAll = _looks++ % BetweenFinished == 0;
        await RefreshAsync([.. _campaigns.Values.Where(state => areAll || state.IsUnfinished)], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads a campaign anew.</summary>
    /// <returns>The campaign; null when there is none.</returns>
    internal async Task<CampaignState?> RefreshAsync(string id, CancellationToken cancellationToken = default)
    {
        Dictionary<ItemKey, Item> items = await table.GetManyAsync(
            [Keys.Campaign(id), Keys.Sequence(id), Keys.Progress(id), Keys.Batch(id)], cancellationToken: cancellationToken).ConfigureAwait(false);
        if (items.GetValueOrDefault(Keys.Campaign(id)) is not { } directory)
        {
            return null;
        }

        CampaignState state = See(directory);
        See(state, items);
        return state;
    }

    // The first node that comes makes it.
    private async Task<StoreItem> ReadStoreAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (await table.GetAsync(Keys.Store, cancellationToken: cancellationToken).ConfigureAwait(false) is { } item)
            {
                return new StoreItem(item.Text(EpochName)!, item.Int(HeldName) != 0, item.Long(RevisionName), item.Int(CountName));
            }

            Item made = new Item(Keys.Store).With(EpochName, Guid.NewGuid().ToString("N")[..12]).With(HeldName, 0).With(RevisionName, 0)
                .With(CountName, 0);
            await table.PutAsync(Change.Put(made).IfNew(), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task RefreshAsync(IReadOnlyList<CampaignState> some, CancellationToken cancellationToken)
    {
        Dictionary<ItemKey, Item> items = await table.GetManyAsync(
            some.SelectMany(state => new[] { Keys.Sequence(state.Id), Keys.Progress(state.Id), Keys.Batch(state.Id) }),
            cancellationToken: cancellationToken).ConfigureAwait(false);
        foreach (CampaignState state in some)
        {
            See(state, items);
        }
    }

    private CampaignState See(Item item)
    {
        DirectoryItem directory = DirectoryItem.Read(item);
        CampaignState state = _campaigns.GetOrAdd(directory.Campaign.Id, static (_, first) => new CampaignState(first), directory);
        _byOrdinal[directory.Campaign.Ordinal] = state;
        state.See(directory);
        return state;
    }

    private static void See(CampaignState state, Dictionary<ItemKey, Item> items)
    {
        if (items.GetValueOrDefault(Keys.Progress(state.Id)) is { } progress)
        {
            state.See(ProgressItem.Read(progress));
        }

        if (items.GetValueOrDefault(Keys.Sequence(state.Id)) is { } sequence)
        {
            state.See(SequenceItem.Read(sequence));
        }

        if (items.GetValueOrDefault(Keys.Batch(state.Id)) is { } batch)
        {
            state.See(BatchItem.Read(batch));
        }
    }
}

/// <summary>The store itself.</summary>
/// <param name="Epoch">Its life: another one after a restore.</param>
/// <param name="IsHeld">Whether it accepts nothing before the operator has looked.</param>
/// <param name="Revision">Rises with each change of any campaign.</param>
/// <param name="Campaigns">How many there are.</param>
internal sealed record StoreItem(string Epoch, bool IsHeld, long Revision, int Campaigns);
