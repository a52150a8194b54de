// The same over HTTP: what a receiver of OTLP gets from a server.
namespace Estat.Requests.Tests.Tracing;

public sealed class TracedServerTests
{
    private const string ClientSpan = "00f067aa0ba902b7";
    private static readonly string ClientTrace = new('1', 32);

    [Fact]
    public async Task The_trace_of_a_client_leads_from_its_POST_to_the_outcome()
    {
        using var folder = new TempFolder();
        using var receiver = new OtlpReceiver();
        await using ServerProcess server = await RequestsServer.StartAsync(folder, [.. receiver.Sending.Select(pair => (pair.Key, pair.Value))]);
        await RequestsServer.PutCampaignAsync(server.Client, "sale", "\"policy\":\"first-come\",\"capacity\":1");
        await RequestsServer.PostAsync(server.Client, "sale", "bob", "", ("traceparent", $"00-{new string('2', 32)}-{ClientSpan}-00"));
        using HttpResponseMessage answer = await RequestsServer.AskAsync(
            server.Client, HttpMethod.Post, "/campaigns/sale/requests", "", ("X-User-Id", "ann"),
            ("traceparent", $"00-{ClientTrace}-{ClientSpan}-01"));
        string id = answer.Headers.Location!.ToString()["/requests/".Length..];
        await RequestsServer.SendAsync(
            server.Client, HttpMethod.Get, $"/requests/{id}", "", ("X-User-Id", "ann"), ("Prefer", "wait=25"),
            ("traceparent", $"00-{ClientTrace}-{ClientSpan}-01"));

        ReceivedSpan post = await receiver.SpanAsync("POST /campaigns/{campaignId}/requests");
        ReceivedSpan get = await receiver.SpanAsync("GET /requests/{requestId}");
        ReceivedSpan decision = await receiver.SpanAsync("estat.decision");
        ReceivedSpan upload = await receiver.SpanAsync("estat.outcomes", span => span.Links.Count > 0);
        Assert.Equal((ClientTrace, ClientSpan), (post.Trace, post.Parent));
        Assert.Equal(("202", "sale", id), (post.Tags["http.response.status_code"], post.Tags["estat.campaign"], post.Tags["estat.request_id"]));
        Assert.Equal(("200", id, "REJECTED"), (get.Tags["http.response.status_code"], get.Tags["estat.request_id"], get.Tags["estat.state"]));
        Assert.Equal((ClientTrace, post.Span), (decision.Trace, decision.Parent));
        Assert.Equal(("sale", id, "2", "REJECTED", "full"), (decision.Tags["estat.campaign"], decision.Tags["estat.request_id"],
            decision.Tags["estat.sequence"], decision.Tags["estat.state"], decision.Tags["estat.reason"]));
        Assert.Equal([(post.Trace, post.Span)], upload.Links);
        Assert.DoesNotContain(receiver.Spans, span => span.Trace == new string('2', 32));
        Assert.DoesNotContain(receiver.Spans, span => span.Tags.Values.Contains("ann"));
    }
}
