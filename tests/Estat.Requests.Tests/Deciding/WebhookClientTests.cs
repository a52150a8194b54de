// One call, as the endpoint sees it and as Estat takes its answer.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Estat.Requests.Webhooks;
using Estat.Requests.Options;
using Microsoft.AspNetCore.Http;

namespace Estat.Requests.Tests.Deciding;

public sealed class WebhookClientTests : IAsyncLifetime
{
    private const string OldSecret = "old-secret-0123456789";
    private const string NewSecret = "new-secret-0123456789";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly IPNetwork[] Loopback = [IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("::1/128")];
    private readonly ManualTimeProvider _time = new();
    private DecidingEndpoint _endpoint = null!;

    public async ValueTask InitializeAsync() => _endpoint = await DecidingEndpoint.StartAsync();

    public async ValueTask DisposeAsync() => await _endpoint.DisposeAsync();

    [Fact]
    public async Task A_call_is_a_POST_of_an_envelope_with_the_body_as_it_was_sent()
    {
        await CallAsync(body: """{ "size": "M", "note": "ä" }""");
        EndpointCall call = Assert.Single(_endpoint.Calls);

        Assert.Equal(("POST", "/decide?of=test", "application/json"), (call.Method, call.Target, call.Headers["Content-Type"]));
        Assert.Equal(
            $$"""{"campaignId":"hook","requestId":"{{Request().Id}}","userId":"ann ä","sequence":7,"generation":2,"attempt":3,"body":"""
            + """{ "size": "M", "note": "ä" }}""",
            Encoding.UTF8.GetString(call.Body));
        Assert.Equal(
            (Request().Id.ToString(), "2", "3"),
            (call.Headers["Idempotency-Key"], call.Headers["Estat-Generation"], call.Headers["Estat-Attempt"]));
    }

    [Fact]
    public async Task Without_a_body_and_after_an_erasure_the_members_are_null()
    {
        await CallAsync(request: Request() with { User = null });
        EndpointCall call = Assert.Single(_endpoint.Calls);
        Assert.Contains("\"userId\":null", Encoding.UTF8.GetString(call.Body), StringComparison.Ordinal);
        Assert.EndsWith("\"body\":null}", Encoding.UTF8.GetString(call.Body), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Time_and_body_are_signed_by_each_secret()
    {
        await CallAsync(body: "[1]", secrets: [NewSecret, OldSecret]);
        EndpointCall call = Assert.Single(_endpoint.Calls);
        string[] parts = call.Headers["Estat-Signature"].Split(',');

        Assert.Equal("t=" + _time.UtcNow.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture), parts[0]);
        Assert.Equal(["v1=" + Sign(NewSecret, parts[0][2..], call.Body), "v1=" + Sign(OldSecret, parts[0][2..], call.Body)], parts[1..]);
        await CallAsync(body: "[1]");
        Assert.Equal(2, _endpoint.Calls[1].Headers["Estat-Signature"].Split(',').Length);
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        _endpoint.Answer = (_, context) =>
        {
            context.Response.Redirect("/other", permanent: false, preserveMethod: true);
            return Task.CompletedTask;
        };
        WebhookAnswer answer = await CallAsync();

        Assert.Equal(WebhookOutcome.Failed, answer.Outcome);
        Assert.Single(_endpoint.Calls);
    }

    [Theory]
    [InlineData(0, true, true)]
    [InlineData(0, false, true)]
    [InlineData(1, true, false)]
    [InlineData(1, false, false)]
    public async Task An_answer_may_have_64_KB(int more, bool isLengthTold, bool isRead)
    {
        string answered = DecidingEndpoint.Succeeded.PadRight(WebhookAnswer.LongestBody + more);
        _endpoint.Answer = async (_, context) =>
        {
            context.Response.ContentLength = isLengthTold ? answered.Length : null;
            await context.Response.StartAsync();
            await context.Response.WriteAsync(answered);
        };
        WebhookAnswer answer = await CallAsync();
        Assert.Equal(isRead ? WebhookOutcome.Succeeded : WebhookOutcome.Unreadable, answer.Outcome);
        Assert.Equal(isRead ? null : "The endpoint's answer is longer than 64 KB.", answer.Failure);
    }

    [Theory]
    [InlineData("20", 20)]
    [InlineData("Fri, 02 Jan 2026 03:05:00 GMT", 55)] // the clock stands at 03:04:05
    [InlineData("soon", null)]
    [InlineData(null, null)]
    public async Task Retry_After_is_seconds_or_a_date(string? retryAfter, int? seconds)
    {
        _endpoint.Answer = (_, context) =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = retryAfter;
            return Task.CompletedTask;
        };
        Assert.Equal(seconds, (await CallAsync()).Wait?.TotalSeconds);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_call_ends_before_half_of_the_lease_also_in_the_middle_of_an_answer(bool hasBegun)
    {
        var arrived = new TaskCompletionSource();
        _endpoint.Answer = async (_, context) =>
        {
            if (hasBegun)
            {
                await context.Response.WriteAsync("{");
                await context.Response.Body.FlushAsync();
            }

            arrived.SetResult();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        Task<WebhookAnswer> calling = CallAsync();
        await arrived.Task.WaitAsync(Patience);
        _time.Advance(TimeSpan.FromSeconds(13));
        Assert.False(calling.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(1));
        WebhookAnswer answer = await calling.WaitAsync(Patience);

        Assert.Equal((WebhookOutcome.TimedOut, "The endpoint did not answer within 13.5 s."), (answer.Outcome, answer.Failure));
    }

    [Fact]
    public async Task No_connection_and_a_connection_that_breaks_are_told_without_the_url()
    {
        Uri nobody = new($"http://127.0.0.1:{FreePort.Next()}/decide?token=hush");
        Assert.Equal(
            new WebhookAnswer(WebhookOutcome.Unreachable) { Failure = "The endpoint could not be connected to." }, await CallAsync(url: nobody));
        Assert.Equal(
            "The name of the endpoint's host could not be resolved.", (await CallAsync(url: new Uri("http://nobody.invalid/?token=hush"))).Failure);
        Assert.Equal("No secure connection to the endpoint came about: look at its certificate.",
            (await CallAsync(url: new Uri($"https://127.0.0.1:{_endpoint.Url.Port}/"))).Failure);
        _endpoint.Answer = (_, context) =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        Assert.Equal("The connection to the endpoint broke before its answer was complete.", (await CallAsync()).Failure);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("localhost")] // a name, as one would be that was public when the campaign was made
    public async Task An_inner_address_is_not_connected_to_however_it_was_come_by(string host)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        WebhookAnswer answer = await CallAsync(url: new Uri($"https://{host}:{port}/"), networks: []);

        Assert.Equal(WebhookOutcome.Unreachable, answer.Outcome);
        Assert.Contains("is not a public address, and REQUESTS_WEBHOOK_NETWORKS does not name it.", answer.Failure!, StringComparison.Ordinal);
        Assert.False(listener.Pending());
    }

    [Fact]
    public async Task A_call_that_is_broken_off_says_so()
    {
        using var end = new CancellationTokenSource();
        _endpoint.Answer = async (_, context) =>
        {
            await end.CancelAsync();
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => CallAsync(cancellationToken: end.Token));
    }

    private static string Sign(string secret, string time, byte[] body)
    {
        using var hmac = new HMACSHA256(Encoding.UTF8.GetBytes(secret));
        return Convert.ToHexString(hmac.ComputeHash(Encoding.UTF8.GetBytes($"{time}.{Encoding.UTF8.GetString(body)}"))).ToLowerInvariant();
    }

    private static RequestRecord Request() => new(
        RequestId.Of(new byte[32], "hook", UserId.Of("ann ä")!.Value), 1, 7, RequestState.Processing, Generation: 2, Fence: 9, Attempts: 2, default)
    {
        User = UserId.Of("ann ä"),
    };

    private async Task<WebhookAnswer> CallAsync(
        RequestRecord? request = null, string body = "", Uri? url = null, string[]? secrets = null, IPNetwork[]? networks = null,
        CancellationToken cancellationToken = default)
    {
        using var client = new WebhookClient(new RequestsOptions { WebhookNetworks = networks ?? Loopback }, new TracedRequests(), _time);
        var campaign = new Campaign
        {
            Id = "hook", Ordinal = 1, Version = 1, Secret = new byte[32], Seed = new byte[32], Counts = default,
            Settings = new CampaignSettings
            {
                Policy = CampaignPolicy.Webhook, OpensAt = _time.UtcNow, Webhook = new WebhookSettings(url ?? _endpoint.Url, secrets ?? [NewSecret]),
            },
        };
        return await client.CallAsync(campaign, new Attempt(request ?? Request(), Encoding.UTF8.GetBytes(body)), cancellationToken)
            .WaitAsync(Patience, CancellationToken.None);
    }
}
