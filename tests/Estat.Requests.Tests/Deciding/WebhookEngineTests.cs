// Webhooks in a node that starts, drains, and starts again.
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Estat.Base.Storage;
using Estat.Http.Metrics;
using Estat.Requests.Hosting;
using Estat.Requests.Metrics;
using Estat.Requests.Options;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Requests.Tests.Deciding;

public sealed class WebhookEngineTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Budget = TimeSpan.FromSeconds(10);
    private readonly ManualTimeProvider _time = new();
    private readonly TempFolder _folder = new();
    private readonly TaskCompletionSource _answer = new();
    private DecidingEndpoint _endpoint = null!;
    private RequestsEngine _engine = null!;

    public async ValueTask InitializeAsync()
    {
        _endpoint = await DecidingEndpoint.StartAsync();
        _endpoint.Answer = async (_, context) =>
        {
            await _answer.Task.WaitAsync(context.RequestAborted);
            await context.Response.WriteAsync(DecidingEndpoint.Succeeded);
        };
        _engine = Start();
        await _engine.Store.PutCampaignAsync(
            "hook",
            new CampaignSettings
            {
                Policy = CampaignPolicy.Webhook, OpensAt = _time.UtcNow.AddDays(-1),
                Webhook = new WebhookSettings(_endpoint.Url, [WebhookRig.Secret]) { Concurrency = 1 },
            },
            expected: 0);
        await AcceptAsync("ann");
        await AcceptAsync("bob");
        await Wait.UntilAsync(() => _endpoint.Calls.Count == 1, Patience, "the first call");
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _endpoint.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_drain_begins_no_calls_and_lets_those_that_run_end()
    {
        _engine.BeginDrain();
        Task draining = _engine.DrainAsync(Budget, CancellationToken.None);
        _answer.SetResult();
        await draining.WaitAsync(Patience);

        CampaignCounts counts = _engine.Store.FindCampaign("hook")!.Counts;
        Assert.Equal((1, 1, 0), (counts.Succeeded, counts.Queued, counts.Processing));
        Assert.Single(_endpoint.Calls);
    }

    [Fact]
    public async Task A_call_that_outlasts_the_drain_is_made_again_after_the_next_start()
    {
        _engine.BeginDrain();
        Task draining = _engine.DrainAsync(Budget, CancellationToken.None);
        Assert.False(draining.IsCompleted);
        _time.Advance(Budget / 2);
        await draining.WaitAsync(Patience);
        Assert.Equal(1, _engine.Store.FindCampaign("hook")!.Counts.Processing);
        await _engine.DisposeAsync();
        _answer.SetResult();
        _engine = Start();
        await Wait.UntilAsync(() => _engine.Store.FindCampaign("hook")!.Counts.Succeeded == 2, Patience, "both requests to succeed");

        Assert.Equal(["ann 1", "ann 1", "bob 1"], _endpoint.Calls.Select(call => $"{call.User} {call.Attempt}"));
    }

    [Fact]
    public async Task Calls_are_counted_by_outcome()
    {
        using var instruments = new RequestInstruments(_engine, new RequestCounters(), tokens: null, _time);
        Assert.Equal(1, Read(instruments.Meter, "estat_requests_webhook_calls_in_flight").Values.Single());
        _answer.SetResult();
        await Wait.UntilAsync( // the calls first: none runs for a moment between them
            () => _endpoint.Calls.Count == 2 && _engine.Webhooks.Slots.Running == 0, Patience, "both calls to end");

        Assert.Equal(2, Read(instruments.Meter, "estat_requests_webhook_calls_total")["succeeded"]);
        Assert.Equal(0, Read(instruments.Meter, "estat_requests_webhook_calls_total")["timed_out"]);
        Assert.Equal(0, Read(instruments.Meter, "estat_requests_webhook_late_total").Values.Single());
        Assert.Equal(0, Read(instruments.Meter, "estat_requests_webhook_breakers_open").Values.Single());
    }

    private static Dictionary<string, long> Read(Meter meter, string name)
    {
        var values = new Dictionary<string, long>();
        using var listener = new MeterListener { InstrumentPublished = (found, own) =>
        {
            if (found.Meter == meter && found.Name == name)
            {
                own.EnableMeasurementEvents(found);
            }
        } };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) => values[tags.Length == 0 ? "" : (string)tags[0].Value!] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        return values;
    }

    private RequestsEngine Start()
    {
        var engine = new RequestsEngine(
            new RequestsOptions { Dir = _folder["requests"], WebhookNetworks = [IPNetwork.Parse("127.0.0.0/8")] },
            new FolderObjectStore(_folder["lake"], _time), "raw", _time, NullLoggerFactory.Instance);
        engine.Start();
        return engine;
    }

    private async Task AcceptAsync(string user)
    {
        UserId who = UserId.Of(user)!.Value;
        var id = RequestId.Of(_engine.Store.FindCampaign("hook")!.Secret.Span, "hook", who);
        Acceptance acceptance = await _engine.Store.AcceptAsync(new Submission("hook", id, who, Encoding.UTF8.GetBytes("{}")));
        Assert.Equal(AcceptanceOutcome.Accepted, acceptance.Outcome);
    }
}
