// The promises of policy webhook: docs/requests.md, "Webhook".
using System.Collections.Concurrent;
using Estat.Requests.Deciding;
using Estat.Requests.Webhooks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Estat.Requests.Tests.Deciding;

public sealed class WebhookWorkerTests : IAsyncLifetime
{
    private WebhookRig _rig = null!;

    public async ValueTask InitializeAsync() => _rig = await WebhookRig.StartAsync();

    public async ValueTask DisposeAsync() => await _rig.DisposeAsync();

    [Fact]
    public async Task The_endpoint_decides_each_request_at_once_without_anybody_moving_the_clock()
    {
        _rig.Endpoint.Answer = (call, context) => context.Response.WriteAsync(
            call.User == "bob" ? """{"status":"REJECTED","reason":"no stock"}""" : """{"status":"SUCCEEDED","result":{"seat":"A1"}}""");
        await _rig.MakeAsync("hook");
        RequestId ann = await _rig.AcceptAsync("hook", "ann");
        RequestId bob = await _rig.AcceptAsync("hook", "bob");
        await Wait.UntilAsync(() => _rig.Counts("hook").Open == 0 && _rig.Worker.Slots.Running == 0, WebhookRig.Patience, "both decisions");

        Assert.Equal((RequestState.Succeeded, null, """{"seat":"A1"}"""), (_rig.Find(ann).State, _rig.Find(ann).Reason, _rig.Find(ann).Result));
        Assert.Equal((RequestState.Rejected, "no stock"), (_rig.Find(bob).State, _rig.Find(bob).Reason));
        Assert.Equal("\"bob\"", _rig.Endpoint.Calls.Single(call => call.User == "bob").Json.GetProperty("body").GetRawText());
        Assert.Equal((1, 1), (_rig.Worker.Counters.Of(WebhookOutcome.Succeeded), _rig.Worker.Counters.Of(WebhookOutcome.Rejected)));
        Assert.Equal(0, _rig.Worker.Slots.OpenBreakers);
    }

    [Fact]
    public async Task Starts_are_in_the_order_of_sequences_and_ends_in_any()
    {
        var first = new TaskCompletionSource();
        _rig.Endpoint.Answer = async (call, context) =>
        {
            await (call.User == "user0" ? first.Task : Task.CompletedTask);
            await context.Response.WriteAsync(DecidingEndpoint.Succeeded);
        };
        await _rig.MakeAsync("hook", concurrency: 2);
        RequestId[] ids = [.. await Task.WhenAll(Enumerable.Range(0, 50).Select(i => _rig.AcceptAsync("hook", $"user{i}")))];
        await Wait.UntilAsync(() => _rig.Counts("hook").Open == 1, WebhookRig.Patience, "all but the first to end");
        Assert.Equal(RequestState.Processing, _rig.Find(ids[0]).State);
        first.SetResult();
        await Wait.UntilAsync(() => _rig.Counts("hook").Open == 0, WebhookRig.Patience, "the first to end");

        // The first two are on their way at the same time; after them there is one free slot.
        int[] called = [.. _rig.Endpoint.Calls.Select(call => call.Json.GetProperty("sequence").GetInt32())];
        Assert.Equal([1, 2], called.Take(2).Order());
        Assert.Equal(Enumerable.Range(3, 48), called.Skip(2));
    }

    [Fact]
    public async Task A_failed_attempt_is_tried_again_after_its_backoff_until_all_attempts_are_used_and_a_redrive_begins_anew()
    {
        _rig.Endpoint.Answer = DecidingEndpoint.Status(500, "the secret of the endpoint");
        await _rig.MakeAsync("hook");
        RequestId id = await _rig.AcceptAsync("hook", "ann");
        await UntilWaitingAsync(id, attempts: 1);
        Assert.Equal("The endpoint answered 500.", _rig.Find(id).Failure);
        for (int attempt = 2; attempt <= 5; attempt++)
        {
            await AdvanceBackoffAsync(id, attempt - 1);
            await Wait.UntilAsync(() => _rig.Find(id).Attempts == attempt, WebhookRig.Patience, $"attempt {attempt} to fail");
        }

        Assert.Equal((RequestState.FailedFinal, Reasons.AttemptsExhausted), (_rig.Find(id).State, _rig.Find(id).Reason));
        _rig.Advance(TimeSpan.FromHours(1));
        _rig.Endpoint.Answer = DecidingEndpoint.Status(200, DecidingEndpoint.Succeeded);
        Assert.Equal([id], await _rig.Store.RedriveAsync([id], isDryRun: false));
        await _rig.AdvanceUntilAsync(() => _rig.Counts("hook").Succeeded == 1, "the redriven request to succeed");

        Assert.Equal(["1 1", "1 2", "1 3", "1 4", "1 5", "2 1"], _rig.Endpoint.Calls.Select(
            call => $"{call.Headers["Estat-Generation"]} {call.Headers["Estat-Attempt"]}"));
        Assert.Single(_rig.Endpoint.Calls.Select(call => call.Headers["Idempotency-Key"]).Distinct());
    }

    [Fact]
    public async Task An_endpoint_that_asks_for_patience_gets_it()
    {
        _rig.Endpoint.Answer = (_, context) =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = "40";
            return Task.CompletedTask;
        };
        await _rig.MakeAsync("hook");
        RequestId id = await _rig.AcceptAsync("hook", "ann");
        await UntilWaitingAsync(id, attempts: 1);

        Assert.Equal(_rig.StoreTime.UtcNow.AddSeconds(40).ToUnixTimeMilliseconds(), _rig.Find(id).Due);
    }

    [Fact]
    public async Task A_refused_call_is_final_and_can_be_redriven()
    {
        _rig.Endpoint.Answer = DecidingEndpoint.Status(422);
        await _rig.MakeAsync("hook");
        RequestId id = await _rig.AcceptAsync("hook", "ann");
        await Wait.UntilAsync(() => _rig.Counts("hook").Failed == 1, WebhookRig.Patience, "the request to fail");
        RequestRecord refused = _rig.Find(id);
        Assert.Equal((Reasons.Refused, "The endpoint refused the call with 422.", 1), (refused.Reason, refused.Failure, refused.Attempts));
        _rig.Endpoint.Answer = DecidingEndpoint.Status(200, DecidingEndpoint.Succeeded);
        await _rig.Store.RedriveAsync([id], isDryRun: false);
        await Wait.UntilAsync(() => _rig.Counts("hook").Succeeded == 1, WebhookRig.Patience, "the redriven request to succeed");
    }

    [Fact]
    public async Task An_answer_that_comes_after_the_lease_changes_nothing()
    {
        var late = new TaskCompletionSource();
        _rig.Endpoint.Answer = async (call, context) =>
        {
            await (call.Attempt == 1 ? late.Task : Task.CompletedTask);
            await context.Response.WriteAsync(call.Attempt == 1 ? DecidingEndpoint.Succeeded : """{"status":"REJECTED","reason":"second"}""");
        };
        await _rig.MakeAsync("hook");
        RequestId id = await _rig.AcceptAsync("hook", "ann");
        await _rig.UntilCalledAsync(1);

        // The worker's clock stands still, as if its process had been stopped: the limit of its call does not come.
        _rig.StoreTime.Advance(TimeSpan.FromSeconds(31));
        await UntilWaitingAsync(id, attempts: 1);
        _rig.StoreTime.Advance(Backoffs.After(1));
        await Wait.UntilAsync(
            () =>
            {
                _rig.Ring();
                return _rig.Endpoint.Calls.Count == 2;
            },
            WebhookRig.Patience, "the second attempt");
        await Wait.UntilAsync(() => _rig.Counts("hook").Rejected == 1, WebhookRig.Patience, "the second attempt to decide");
        RequestRecord decided = _rig.Find(id);
        late.SetResult();
        await Wait.UntilAsync(() => _rig.Worker.Counters.Late.Value == 1, WebhookRig.Patience, "the late answer");
        await Wait.UntilAsync( // it is counted first, then logged
            () => _rig.Log.Of(LogLevel.Debug).Any(line => line.Contains("came too late", StringComparison.Ordinal)), WebhookRig.Patience,
            "the log's line about it");

        Assert.Equal(decided, _rig.Find(id));
        Assert.Equal((0, 1), (_rig.Counts("hook").Succeeded, _rig.Counts("hook").Rejected));
    }

    [Fact]
    public async Task A_paused_campaign_begins_no_calls_and_goes_on_when_it_is_resumed()
    {
        await _rig.MakeAsync("hook");
        await _rig.MakeAsync("other");
        await _rig.Store.PauseAsync("hook", isPaused: true);
        await _rig.AcceptAsync("hook", "ann");
        await _rig.AcceptAsync("other", "bob");
        await _rig.AdvanceUntilAsync(() => _rig.Counts("other").Succeeded == 1, "the other campaign to go on");
        _rig.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(["bob"], _rig.Endpoint.Calls.Select(call => call.User));
        await _rig.Store.PauseAsync("hook", isPaused: false);
        await _rig.AdvanceUntilAsync(() => _rig.Counts("hook").Succeeded == 1, "the campaign to go on");
    }

    [Fact]
    public async Task An_outage_opens_the_breaker_uses_no_attempts_and_ends_with_a_probe_that_succeeds()
    {
        _rig.Endpoint.Answer = DecidingEndpoint.Status(503);
        await _rig.MakeAsync("hook", concurrency: 4);
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => _rig.AcceptAsync("hook", $"user{i}")));
        await _rig.AdvanceUntilAsync(() => _rig.Worker.Slots is { OpenBreakers: 1, Running: 0 }, "the breaker to open", seconds: 0.2);
        int before = _rig.Endpoint.Calls.Count;
        int used = await AttemptsUsedAsync();
        Assert.InRange(used, Breaker.Limit, Breaker.Limit + 3);

        DateTimeOffset opened = _rig.WorkerTime.UtcNow;
        const int Probes = 40;
        for (int probe = 1; probe <= Probes; probe++)
        {
            await _rig.AdvanceUntilAsync(() => _rig.Endpoint.Calls.Count == before + probe, "the next probe", seconds: 1);
            await Wait.UntilAsync(() => _rig.Worker.Slots.Running == 0, WebhookRig.Patience, "the probe to end");
        }

        Assert.True(_rig.WorkerTime.UtcNow - opened >= (Probes - 1) * Breaker.ProbeEvery, $"{Probes} probes by {_rig.WorkerTime.UtcNow - opened}");
        Assert.Equal(used, await AttemptsUsedAsync());
        Assert.Equal(0, _rig.Counts("hook").Failed);

        // Not the same ones again and again: one that the endpoint cannot digest would keep the others waiting for ever.
        Assert.InRange(_rig.Endpoint.Calls.Skip(before).Select(call => call.User).Distinct().Count(), Probes / 3, Probes);
        _rig.Endpoint.Answer = DecidingEndpoint.Status(200, DecidingEndpoint.Succeeded);
        await _rig.AdvanceUntilAsync(() => _rig.Counts("hook").Succeeded == 200, "everything to succeed", seconds: 1);
        Assert.Equal(0, _rig.Worker.Slots.OpenBreakers);
        Assert.Single(_rig.Log.Of(LogLevel.Warning));
        Assert.Contains("The last failure: The endpoint answered 503.", _rig.Log.Of(LogLevel.Warning)[0], StringComparison.Ordinal);
        Assert.Equal(["Campaign hook: its webhook works again"], _rig.Log.Of(LogLevel.Information));
    }

    [Fact]
    public async Task A_kill_in_the_middle_of_calls_loses_nothing_and_repeats_them_with_the_same_key()
    {
        _rig.Endpoint.Answer = (_, context) => Task.Delay(Timeout.Infinite, context.RequestAborted);
        await _rig.MakeAsync("hook", concurrency: 5);
        RequestId[] ids = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => _rig.AcceptAsync("hook", $"user{i}")));
        await _rig.UntilCalledAsync(5);
        await Wait.UntilAsync(() => _rig.Counts("hook").Processing == 5, WebhookRig.Patience, "five attempts");
        EndpointCall[] cut = [.. _rig.Endpoint.Calls];
        _rig.Endpoint.Answer = DecidingEndpoint.Status(200, DecidingEndpoint.Succeeded);
        await _rig.KillAsync();
        await _rig.AdvanceUntilAsync(() => _rig.Counts("hook").Succeeded == 20, "everything to succeed");

        Assert.Equal(25, _rig.Endpoint.Calls.Count);
        string[] keys = [.. _rig.Endpoint.Calls.Select(call => call.Headers["Idempotency-Key"])];
        Assert.All(cut, call => Assert.Equal(2, keys.Count(key => key == call.Headers["Idempotency-Key"])));
        Assert.All(_rig.Endpoint.Calls, call => Assert.Equal(1, call.Attempt)); // what the node did not see to its end does not count
        Assert.All(ids, id => Assert.Equal((RequestState.Succeeded, 0), (_rig.Find(id).State, _rig.Find(id).Attempts)));
    }

    [Fact]
    public async Task An_answer_that_cannot_be_written_now_is_written_later_and_the_endpoint_is_not_asked_again()
    {
        await _rig.MakeAsync("hook");
        _rig.FailEnds(2);
        RequestId id = await _rig.AcceptAsync("hook", "ann");
        await _rig.AdvanceUntilAsync(() => _rig.Counts("hook").Succeeded == 1, "the answer to be written");

        Assert.Single(_rig.Endpoint.Calls);
        Assert.Equal(0, _rig.Find(id).Attempts);
    }

    private async Task UntilWaitingAsync(RequestId id, int attempts) => await Wait.UntilAsync(
        () => _rig.Find(id) is { State: RequestState.Queued } request && request.Attempts == attempts, WebhookRig.Patience,
        $"attempt {attempts} to fail");

    // The clock stood still while the attempt failed, so its backoff can be read from the request.
    private async Task AdvanceBackoffAsync(RequestId id, int attempts)
    {
        Assert.Equal((_rig.StoreTime.UtcNow + Backoffs.After(attempts)).ToUnixTimeMilliseconds(), _rig.Find(id).Due);
        int calls = _rig.Endpoint.Calls.Count;
        await _rig.AdvanceUntilAsync(() => _rig.Endpoint.Calls.Count == calls + 1, "the next attempt", seconds: 0.2);
    }

    private async Task<int> AttemptsUsedAsync()
    {
        var requests = new ConcurrentBag<RequestRecord>();
        string? cursor = null;
        do
        {
            RequestPage page = await _rig.Store.SearchAsync(new RequestFilter { CampaignId = "hook" }, cursor, 200, CancellationToken.None);
            page.Requests.ToList().ForEach(requests.Add);
            cursor = page.Cursor;
        }
        while (cursor is not null);
        return requests.Sum(request => request.Attempts);
    }
}
