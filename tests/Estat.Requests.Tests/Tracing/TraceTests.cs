// A traced request can be followed to its outcome in the lake; one that is not traced leaves nothing.
using System.Diagnostics;
using System.Net;
using Estat.Base.Metrics;
using Estat.Base.Storage;
using Estat.Http.Metrics;
using Estat.Requests.Hosting;
using Estat.Requests.Intake;
using Estat.Requests.Options;
using Estat.Requests.Tests.Deciding;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Requests.Tests.Tracing;

public sealed class TraceTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();
    private readonly Spans _spans = new();
    private DecidingEndpoint _endpoint = null!;
    private RequestsEngine _engine = null!;
    private RequestIntake _intake = null!;

    public async ValueTask InitializeAsync()
    {
        _endpoint = await DecidingEndpoint.StartAsync();
        var options = new RequestsOptions
        {
            Dir = _folder["requests"], MinFreeBytes = 0, OutcomeInterval = TimeSpan.FromMilliseconds(100),
            WebhookNetworks = [IPNetwork.Parse("127.0.0.0/8")],
        };
        _engine = new RequestsEngine(
            options, new FolderObjectStore(_folder["lake"], TimeProvider.System), "raw", TimeProvider.System, NullLoggerFactory.Instance);
        _engine.Start();
        _intake = new RequestIntake(
            options, _engine.Store, _engine.Cache, new RequestRefusals(options, new RequestCounters()), _engine.Traced, TimeProvider.System);
        await _engine.Store.PutCampaignAsync(
            "sale", new CampaignSettings { Policy = CampaignPolicy.FirstCome, OpensAt = DateTimeOffset.UtcNow.AddDays(-1), Capacity = 1 },
            expected: 0);
        await _engine.Store.PutCampaignAsync(
            "hook",
            new CampaignSettings
            {
                Policy = CampaignPolicy.Webhook, OpensAt = DateTimeOffset.UtcNow.AddDays(-1),
                Webhook = new WebhookSettings(_endpoint.Url, [WebhookRig.Secret]),
            },
            expected: 0);
    }

    public async ValueTask DisposeAsync()
    {
        await _engine.DisposeAsync();
        await _endpoint.DisposeAsync();
        _spans.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_decision_is_a_child_of_its_HTTP_request_and_the_outcomes_object_links_to_it()
    {
        (RequestId id, Activity request) = await AcceptTracedAsync("sale");
        Activity upload = await UploadOfAsync(request);
        Activity decision = Assert.Single(_spans.Of(request.TraceId), span => span.OperationName == "estat.decision");

        Assert.Equal(request.SpanId, decision.ParentSpanId);
        Assert.Equal(
            ("sale", id.ToString(), 1L, 1, "SUCCEEDED", null),
            (decision.GetTagItem("estat.campaign"), decision.GetTagItem("estat.request_id"), decision.GetTagItem("estat.sequence"),
                decision.GetTagItem("estat.generation"), decision.GetTagItem("estat.state"), decision.GetTagItem("estat.reason")));
        RequestRecord decided = (await _engine.Store.FindAsync(id))!;
        Assert.Equal(decided.Times.Received, new DateTimeOffset(decision.StartTimeUtc).ToUnixTimeMilliseconds());
        // An activity that takes no time takes a tick.
        Assert.Equal(decided.Times.Final - decided.Times.Received, (long)decision.Duration.TotalMilliseconds);

        string key = (string)upload.GetTagItem("estat.key")!;
        Assert.True(File.Exists(Path.Combine(_folder["lake"], key)), key);
        Assert.Equal(EstatActivities.TraceOf(key), upload.TraceId);
        Assert.Equal(1, upload.GetTagItem("estat.outcomes"));
        Assert.Equal([request.SpanId], upload.Links.Select(link => link.Context.SpanId));
    }

    [Fact]
    public async Task A_webhook_gets_the_trace_and_each_call_is_a_span()
    {
        _endpoint.Answer = (call, context) =>
            (call.Attempt == 1 ? DecidingEndpoint.Status(500) : DecidingEndpoint.Status(200, DecidingEndpoint.Succeeded))(call, context);
        (RequestId id, Activity request) = await AcceptTracedAsync("hook", "vendor=1");
        await UploadOfAsync(request);

        Activity[] calls = [.. _spans.Of(request.TraceId).Where(span => span.OperationName == "estat.webhook")];
        Assert.Equal([("failed", 1, ActivityStatusCode.Error), ("succeeded", 2, ActivityStatusCode.Unset)], calls.Select(call =>
            ((string)call.GetTagItem("estat.outcome")!, (int)call.GetTagItem("estat.attempt")!, call.Status)));
        Assert.All(calls, call => Assert.Equal(
            (ActivityKind.Client, request.SpanId, id.ToString(), "127.0.0.1"),
            (call.Kind, call.ParentSpanId, call.GetTagItem("estat.request_id"), call.GetTagItem("server.address"))));
        Assert.Equal(calls.Select(call => call.Id), _endpoint.Calls.Select(call => call.Headers["traceparent"]));
        Assert.All(_endpoint.Calls, call => Assert.Equal("vendor=1", call.Headers["tracestate"]));
        Assert.Contains(_spans.Of(request.TraceId), span => span.OperationName == "estat.decision");
    }

    [Fact]
    public async Task A_request_that_is_not_traced_leaves_no_span_and_its_endpoint_gets_no_trace()
    {
        // As a library of another source would have it, and as nobody chose it here.
        using var foreign = new Activity("foreign");
        foreign.SetBaggage("secret", "1").Start();
        RequestId id = await AcceptAsync("hook");
        foreign.Stop();
        await Wait.UntilAsync(async () => (await _engine.Store.FindAsync(id))!.State.IsFinal(), Patience, "the decision");
        await Wait.UntilAsync(() => _engine.Outcomes.Stored == 1, Patience, "the outcome");

        Assert.Empty(_spans.Of(foreign.TraceId));
        Assert.Empty(_spans.LinkedTo(foreign.TraceId));
        Assert.Empty(_spans.About(id));
        EndpointCall call = Assert.Single(_endpoint.Calls);
        Assert.All(["traceparent", "tracestate", "baggage", "Correlation-Context"], name => Assert.False(call.Headers.ContainsKey(name), name));
    }

    [Fact]
    public void Of_traced_requests_the_last_ones_are_remembered()
    {
        var traced = new TracedRequests(most: 4);
        Activity[] requests = [.. Enumerable.Range(0, 20).Select(number =>
        {
            Activity request = EstatActivities.Request("POST", default)!;
            traced.OnAccepting(new Submission("sale", IdOf(number), default, default));
            request.Stop();
            return request;
        })];

        using Activity upload = traced.Uploading("key", new OutcomeBatch(
            1, "epoch", default, [.. Enumerable.Range(0, 20).Select(number =>
                new Outcome(number, "sale", IdOf(number), number, 1, RequestState.Succeeded, null, 0, default))]))!;

        Assert.InRange(upload.Links.Count(), 2, 4);
        Assert.Equal(requests[^1].SpanId, upload.Links.Last().Context.SpanId);

        static RequestId IdOf(int number) => new(new Guid(number, 0, 0, new byte[8]));
    }

    [Fact]
    public void A_batch_links_to_so_many_requests_and_no_more()
    {
        var traced = new TracedRequests();
        Outcome[] outcomes = [.. Enumerable.Range(0, EstatActivities.MostLinks + 5).Select(number =>
        {
            var id = new RequestId(new Guid(number, 1, 0, new byte[8]));
            using Activity request = EstatActivities.Request("POST", default)!;
            traced.OnAccepting(new Submission("sale", id, default, default));
            return new Outcome(number, "sale", id, number, 1, RequestState.Succeeded, null, 0, default);
        })];

        using Activity upload = traced.Uploading("key", new OutcomeBatch(1, "epoch", default, outcomes))!;

        Assert.Equal(EstatActivities.MostLinks, upload.Links.Count());
    }

    private async Task<Activity> UploadOfAsync(Activity request)
    {
        await Wait.UntilAsync(() => _spans.LinkedTo(request.TraceId).Count > 0, Patience, "an upload that links to the request");
        return Assert.Single(_spans.LinkedTo(request.TraceId));
    }

    private async Task<(RequestId Id, Activity Request)> AcceptTracedAsync(string campaign, string? state = null)
    {
        var client = new ActivityContext(
            ActivityTraceId.CreateRandom(), ActivitySpanId.CreateRandom(), ActivityTraceFlags.Recorded, state, isRemote: true);
        using Activity request = EstatActivities.Request("POST /campaigns/{campaignId}/requests", client)!;
        return (await AcceptAsync(campaign), request);
    }

    private async Task<RequestId> AcceptAsync(string campaign)
    {
        (_, _, Submission submission) = await _intake.EnterAsync(campaign, UserId.Of("ann")!.Value);
        (_, RequestRecord? accepted, bool isNew) = await _intake.AcceptAsync(submission);
        Assert.True(isNew);
        return accepted!.Id;
    }
}
