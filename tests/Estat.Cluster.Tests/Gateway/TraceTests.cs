// A request's trace leads from the gateway that took it to the batch of the silo that keeps it: two processes, and a receiver of OTLP.
using System.Text;
using Estat.Cluster.Tests.Support;

namespace Estat.Cluster.Tests.Gateway;

public sealed class TraceTests
{
    private const string ClientSpan = "00f067aa0ba902b7";
    private static readonly string OneEvent = new('1', 32);
    private static readonly string ManyEvents = new('2', 32);
    private static readonly string Large = new('3', 32);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task A_silo_s_batch_links_to_the_spans_of_the_gateway_s_requests()
    {
        using var receiver = new OtlpReceiver();
        await using var nodes = new StoppableNodes();
        var environment = new Dictionary<string, string>(nodes.Options());
        foreach ((string name, string value) in receiver.Sending)
        {
            environment[name] = value;
        }

        await using ServerProcess gateway = nodes.Launch("gateway", environment);
        await gateway.UntilReadyAsync(Limit);

        // Each way into a packet: one event, a few lines, more lines than packets share.
        await PostAsync(gateway, "/collect", "one", OneEvent, isTraced: true);
        await PostAsync(gateway, "/collect/batch", "\"two\"\n\"three\"", ManyEvents, isTraced: true);
        await PostAsync(gateway, "/collect/batch", string.Join('\n', Enumerable.Repeat($"\"{new string('x', 1000)}\"", 100)), Large, isTraced: true);
        await PostAsync(gateway, "/collect", "untraced", new string('4', 32), isTraced: false);
        foreach ((string trace, string path) in new[] { (OneEvent, "/collect"), (ManyEvents, "/collect/batch"), (Large, "/collect/batch") })
        {
            ReceivedSpan request = await receiver.SpanAsync($"POST {path}", span => span.Trace == trace);
            ReceivedSpan batch = await receiver.SpanAsync("estat.batch", span => span.Links.Contains((request.Trace, request.Span)));
            Assert.Equal(request.Tags["estat.batch_trace_id"], batch.Trace);
        }

        Assert.DoesNotContain(receiver.Spans.SelectMany(span => span.Links), link => link.Trace == new string('4', 32));
    }

    private static async Task PostAsync(ServerProcess gateway, string path, string text, string trace, bool isTraced)
    {
        using var body = new StringContent(text, Encoding.UTF8, path == "/collect" ? "text/plain" : "application/x-ndjson");
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = body, Headers = { { "traceparent", $"00-{trace}-{ClientSpan}-{(isTraced ? "01" : "00")}" } },
        };
        using HttpResponseMessage answer = await gateway.Client.SendAsync(request);
        answer.EnsureSuccessStatusCode();
    }
}
