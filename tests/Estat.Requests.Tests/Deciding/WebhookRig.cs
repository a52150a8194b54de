// A store, a worker and an endpoint, as a node has them.
using System.Net;
using System.Text;
using Estat.Requests.Deciding;
using Estat.Requests.Webhooks;
using Estat.Requests.Options;
using Estat.Requests.Sqlite;
using Estat.Requests.Tests.Sqlite;

namespace Estat.Requests.Tests.Deciding;

/// <summary>Store and worker have a clock each, so that a test can stop the worker alone.</summary>
internal sealed class WebhookRig : IAsyncDisposable
{
    internal const string Secret = "0123456789abcdef";
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly SqlitePlace _place = new();
    private readonly RequestsOptions _options;
    private CancellationTokenSource _ending = new();
    private WebhookBell _bell = new();
    private WebhookClient _client = null!;
    private Task _working = Task.CompletedTask;

    private int _failingEnds;

    private WebhookRig(RequestsOptions options, DecidingEndpoint endpoint) => (_options, Endpoint) = (options, endpoint);

    internal DecidingEndpoint Endpoint { get; }

    internal ManualTimeProvider StoreTime { get; } = new();

    internal ManualTimeProvider WorkerTime { get; } = new();

    internal SqliteRequestStore Store { get; private set; } = null!;

    internal WebhookWorker Worker { get; private set; } = null!;

    internal LogLines Log { get; } = new();

    internal static async Task<WebhookRig> StartAsync(int calls = 256)
    {
        var options = new RequestsOptions { WebhookCalls = calls, WebhookNetworks = [IPNetwork.Parse("127.0.0.0/8")] };
        var rig = new WebhookRig(options, await DecidingEndpoint.StartAsync());
        rig.Open();
        return rig;
    }

    /// <summary>Moves both clocks.</summary>
    internal void Advance(TimeSpan by)
    {
        StoreTime.Advance(by);
        WorkerTime.Advance(by);
    }

    /// <summary>The store refuses to write the ends of this many attempts.</summary>
    internal void FailEnds(int count) => Volatile.Write(ref _failingEnds, count);

    /// <summary>Makes the worker look, whatever its clock says.</summary>
    internal void Ring() => _bell.Ring();

    /// <summary>Moves both clocks until a condition holds.</summary>
    internal Task AdvanceUntilAsync(Func<bool> condition, string what, double seconds = 0.5) => Wait.UntilAsync(
        () =>
        {
            if (!condition())
            {
                Advance(TimeSpan.FromSeconds(seconds));
            }

            return condition();
        },
        Patience, what, () => string.Join("; ", Store.Campaigns.Select(campaign => $"{campaign.Id} {campaign.Counts}")) + "\n"
            + string.Join('\n', Log.Lines));

    internal async Task MakeAsync(string id, int concurrency = 16) => Assert.Equal(
        CampaignChangeOutcome.Created,
        (await Store.PutCampaignAsync(
            id,
            new CampaignSettings
            {
                Policy = CampaignPolicy.Webhook, OpensAt = StoreTime.UtcNow.AddDays(-1),
                Webhook = new WebhookSettings(Endpoint.Url, [Secret]) { Concurrency = concurrency },
            },
            expected: 0)).Outcome);

    internal async Task<RequestId> AcceptAsync(string campaign, string user)
    {
        UserId who = UserId.Of(user)!.Value;
        var id = RequestId.Of(Store.FindCampaign(campaign)!.Secret.Span, campaign, who);
        Assert.Equal(
            AcceptanceOutcome.Accepted,
            (await Store.AcceptAsync(new Submission(campaign, id, who, Encoding.UTF8.GetBytes($"\"{user}\"")))).Outcome);
        return id;
    }

    internal CampaignCounts Counts(string campaign) => Store.FindCampaign(campaign)!.Counts;

    internal RequestRecord Find(RequestId id) => Store.FindAsync(id).AsTask().Result!;

    internal Task UntilCalledAsync(int calls) =>
        Wait.UntilAsync(() => Endpoint.Calls.Count >= calls, Patience, $"{calls} calls", () => $"{Endpoint.Calls.Count} calls");

    /// <summary>Loses the process: what is on the disk stays, and a call that runs has nobody who takes its answer.</summary>
    internal async Task KillAsync()
    {
        CancellationTokenSource ending = _ending;
        Task working = _working;
        await _place.KillAsync(Store);
        await ending.CancelAsync();
        await working.ContinueWith(_ => { }, TaskScheduler.Default);
        _client.Dispose();
        _bell = new WebhookBell();
        _ending = new CancellationTokenSource();
        Open();
    }

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await Endpoint.DisposeAsync();
        await _working.ContinueWith(_ => { }, TaskScheduler.Default);
        await Store.DisposeAsync();
        await _place.DisposeAsync();
        _client.Dispose();
        _ending.Dispose();
        Log.Dispose();
    }

    private void Open()
    {
        Store = _place.Open(_options, new DecisionRule(), StoreTime, _bell);
        _client = new WebhookClient(_options, new TracedRequests(), WorkerTime);
        IRequestStore store = FailingEnds.Of(Store, () => Interlocked.Decrement(ref _failingEnds) >= 0);
        Worker = new WebhookWorker(store, _client, _bell, _options, WorkerTime, Log);
        _working = Worker.RunAsync(_ending.Token);
    }
}
