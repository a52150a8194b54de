// What an OTLP receiver gets: an event can be followed from its request to its object, also by way of the DLQ and another process.
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Estat.Testing;

namespace Estat.Api.Tests.Metrics;

public sealed class OtlpExportTests
{
    private const string ClientTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string ClientSpan = "00f067aa0ba902b7";

    [Fact]
    public async Task An_event_can_be_followed_from_its_request_to_its_object()
    {
        using var folder = new TempFolder();
        using var receiver = new OtlpReceiver();
        await using ServerProcess server = await ServerProcess.StartAsync(receiver.Options(folder));

        // Not traced by its client, and the default ratio takes one in 1024 of those that come without a trace only.
        await PostAsync(server, "untraced", $"00-{new string('a', 32)}-{ClientSpan}-00");
        string key = await PostAsync(server, "the event", $"00-{ClientTrace}-{ClientSpan}-01");

        ReceivedSpan batch = await receiver.SpanAsync("estat.batch", span => span.Tags["estat.key"] == key);
        ReceivedSpan upload = await receiver.SpanAsync("estat.upload", span => span.Tags["estat.key"] == key);
        ReceivedSpan request = await receiver.SpanAsync("POST /collect");
        Assert.Equal((ClientTrace, ClientSpan), (request.Trace, request.Parent));
        Assert.Equal(("200", "disk", key), (request.Tags["http.response.status_code"], request.Tags["estat.ack"], request.Tags["estat.key"]));
        Assert.Equal(TraceOf(key), request.Tags["estat.batch_trace_id"]);
        Assert.Equal((TraceOf(key), ""), (batch.Trace, batch.Parent));
        Assert.Equal([(request.Trace, request.Span)], batch.Links);
        Assert.True(batch.Duration > TimeSpan.Zero, "a batch lasts from its first event to its seal");
        Assert.Equal((batch.Trace, batch.Span, "1"), (upload.Trace, upload.Parent, upload.Tags["estat.attempt"]));
        Assert.Equal(batch.Tags["estat.events"], upload.Tags["estat.events"]);
        Assert.Contains(StoredEvents.ObjectsFromFolder(folder["data"]), stored => stored.Key == key && stored.Events.Any(e => e.Body == "the event"));
        Assert.DoesNotContain(receiver.Spans, span => span.Trace == new string('a', 32));
        await Wait.UntilAsync(() => receiver.HasMetric("s3_events_stored_total"), TimeSpan.FromSeconds(30), "metrics to arrive");
    }

    [Fact]
    public async Task The_way_through_the_DLQ_into_another_process_stays_in_the_trace_of_the_batch()
    {
        using var folder = new TempFolder();
        using var receiver = new OtlpReceiver();
        var options = receiver.Options(folder);
        var unreachable = new Dictionary<string, string>(options)
        {
            ["RAW_BUCKET"] = "events", ["S3_ENDPOINT"] = "http://127.0.0.1:1", ["S3_APP_RETRIES"] = "1", ["AWS_ACCESS_KEY_ID"] = "a",
                ["AWS_SECRET_ACCESS_KEY"] = "b",
        };

        string key;
        await using (ServerProcess server = await ServerProcess.StartAsync(unreachable))
        {
            key = await PostAsync(server, "the event", $"00-{ClientTrace}-{ClientSpan}-01");
            await receiver.SpanAsync("estat.dlq");
        }

        await using ServerProcess other = await ServerProcess.StartAsync(options);

        ReceivedSpan batch = await receiver.SpanAsync("estat.batch");
        ReceivedSpan failed = await receiver.SpanAsync("estat.upload", span => span.Tags["estat.attempt"] == "2");
        ReceivedSpan dlq = await receiver.SpanAsync("estat.dlq");
        ReceivedSpan recovered = await receiver.SpanAsync("estat.recover", span => !span.IsError);
        Assert.True(failed.IsError);
        Assert.Contains("127.0.0.1:1", dlq.Tags["estat.reason"], StringComparison.Ordinal);
        Assert.All([failed, dlq], span => Assert.Equal((batch.Trace, batch.Span), (span.Trace, span.Parent)));
        Assert.Equal((TraceOf(key), key, "1"), (recovered.Trace, recovered.Tags["estat.key"], recovered.Tags["estat.events"]));
        Assert.Equal(TraceOf(key), batch.Trace);
    }

    private static async Task<string> PostAsync(ServerProcess server, string text, string traceParent)
    {
        using var body = new StringContent(text);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/collect") { Content = body, Headers = { { "traceparent", traceParent } } };
        using HttpResponseMessage answer = await server.Client.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return Single(answer.Headers, "X-Estat-Key");
    }

    private static string Single(HttpResponseHeaders headers, string name) => Assert.Single(headers.GetValues(name));

    // As docs/operations.md tells: printf KEY | sha256sum | cut -c1-32
    private static string TraceOf(string key) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..32];
}
