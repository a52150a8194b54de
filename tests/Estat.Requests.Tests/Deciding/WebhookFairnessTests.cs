// The flood of one campaign leaves the webhooks of another their turn.
using Estat.Requests.Webhooks;
using Microsoft.AspNetCore.Http;

namespace Estat.Requests.Tests.Deciding;

public sealed class WebhookFairnessTests : IAsyncLifetime
{
    private const int Calls = 8;
    private readonly SemaphoreSlim _gate = new(0);
    private WebhookRig _rig = null!;

    public async ValueTask InitializeAsync()
    {
        _rig = await WebhookRig.StartAsync(Calls);
        _rig.Endpoint.Answer = async (_, context) =>
        {
            await _gate.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync(DecidingEndpoint.Succeeded);
        };
    }

    public async ValueTask DisposeAsync()
    {
        await _rig.DisposeAsync();
        _gate.Dispose();
    }

    [Fact]
    public async Task One_flood_holds_at_most_half_of_the_calls_so_another_campaign_is_called_at_once()
    {
        await FloodAsync("flood", 10_000);
        await _rig.UntilCalledAsync(Calls / 2);
        await _rig.MakeAsync("small");
        await _rig.AcceptAsync("small", "bob"); // no call of the flood ends meanwhile
        await _rig.UntilCalledAsync((Calls / 2) + 1);

        Assert.Equal(["small"], _rig.Endpoint.Calls.Skip(Calls / 2).Select(call => call.Campaign));
        Assert.Equal(Calls / 2, _rig.Counts("flood").Processing);
    }

    [Fact]
    public async Task When_floods_hold_all_calls_a_third_campaign_is_called_within_two_rounds()
    {
        await FloodAsync("flood1", 10_000);
        await FloodAsync("flood2", 1_000);
        await _rig.UntilCalledAsync(Calls);
        await _rig.MakeAsync("small");
        await _rig.AcceptAsync("small", "bob");
        const int Campaigns = 3;
        for (int round = 0; round < 2 * Campaigns && _rig.Endpoint.Calls.All(call => call.Campaign != "small"); round++)
        {
            int calls = _rig.Endpoint.Calls.Count;
            _gate.Release(); // one slot is free, for one campaign
            await _rig.UntilCalledAsync(calls + 1);
        }

        Assert.Contains(_rig.Endpoint.Calls, call => call.Campaign == "small");
    }

    [Fact]
    public async Task A_campaign_has_no_more_calls_at_once_than_it_says()
    {
        await FloodAsync("flood", 50, concurrency: 3);
        await _rig.UntilCalledAsync(3);
        for (int i = 0; i < 20; i++)
        {
            Assert.InRange(_rig.Counts("flood").Processing, 0, 3);
            _gate.Release();
            await _rig.UntilCalledAsync(4 + i);
        }

        Assert.Equal(23, _rig.Endpoint.Calls.Count);
    }

    [Fact]
    public void Slots_that_run_out_go_to_the_next_campaign_in_the_next_round()
    {
        var slots = new WebhookSlots(4, new ManualTimeProvider());
        Campaign[] campaigns = [Flooded(1), Flooded(2), Flooded(3)];
        Assert.Equal(["1:2", "2:2"], Take(slots, campaigns));
        Assert.Empty(Take(slots, campaigns));
        slots.Release(campaigns[0], 1);
        Assert.Equal(["3:1"], Take(slots, campaigns));
        slots.Release(campaigns[1], 1);
        Assert.Equal(["1:1"], Take(slots, campaigns));
        slots.Release(campaigns[0], 1);
        Assert.Equal(["2:1"], Take(slots, campaigns));
        Assert.Empty(Take(slots, [Flooded(4) with { IsPaused = true }]));
        Assert.Equal(4, slots.Running);
    }

    private static IEnumerable<string> Take(WebhookSlots slots, Campaign[] campaigns) =>
        slots.Take(campaigns).Select(turn => $"{turn.Campaign.Ordinal}:{turn.Slots}");

    private static Campaign Flooded(int ordinal) => new()
    {
        Id = $"campaign{ordinal}", Ordinal = ordinal, Version = 1, Secret = new byte[32], Seed = new byte[32],
        Counts = default(CampaignCounts) with { Accepted = 100, Queued = 100 },
        Settings = new CampaignSettings
        {
            Policy = CampaignPolicy.Webhook, OpensAt = default, Webhook = new WebhookSettings(new Uri("https://shop.example/"), [WebhookRig.Secret]),
        },
    };

    private async Task FloodAsync(string campaign, int requests, int concurrency = 16)
    {
        await _rig.MakeAsync(campaign, concurrency);
        await Task.WhenAll(Enumerable.Range(0, requests).Select(i => _rig.AcceptAsync(campaign, $"user{i}")));
    }
}
