// What an OTLP receiver gets; the receiver is an HTTP server that keeps the bodies.
using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Estat.Testing;

namespace Estat.Api.Tests.Metrics;

public sealed class OtlpExportTests
{
    [Fact]
    public async Task Metrics_and_traces_reach_the_receiver_that_the_option_names()
    {
        using var folder = new TempFolder();
        var received = new ConcurrentDictionary<string, string>();
        string address = $"http://127.0.0.1:{FreePort.Next()}/";
        using var receiver = new HttpListener { Prefixes = { address } };
        receiver.Start();
        _ = Task.Run(() => ReceiveAsync(receiver, received));
        await using ServerProcess server = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["STORAGE_DIR"] = folder["data"],
            ["DLQ_DIR"] = folder["dlq"],
            ["SPOOL_DIR"] = folder["spool"],
            ["FLUSH_INTERVAL"] = "50ms",
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = address,
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
            ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
            ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
        });

        using var body = new StringContent("an event");
        (await server.Client.PostAsync("/collect", body)).EnsureSuccessStatusCode();

        await Wait.UntilAsync(
            () => received.GetValueOrDefault("/v1/metrics", "").Contains("s3_events_stored_total", StringComparison.Ordinal)
                && received.GetValueOrDefault("/v1/traces", "").Contains("estat.upload", StringComparison.Ordinal),
            TimeSpan.FromSeconds(30), "metrics and a trace to arrive", () => string.Join(", ", received.Keys));
    }

    private static async Task ReceiveAsync(HttpListener receiver, ConcurrentDictionary<string, string> received)
    {
        while (receiver.IsListening)
        {
            HttpListenerContext context = await receiver.GetContextAsync();
            using var reader = new StreamReader(context.Request.InputStream, Encoding.Latin1);
            string body = await reader.ReadToEndAsync();
            received.AddOrUpdate(context.Request.Url!.AbsolutePath, body, (_, before) => before + body);
            context.Response.Close();
        }
    }
}
