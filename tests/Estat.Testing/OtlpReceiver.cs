// An OTLP receiver, HTTP with protobuf: it keeps the spans that it is sent, decoded as far as tests ask.
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Text;

namespace Estat.Testing;

/// <summary>A span as it was received; numbers in hex.</summary>
public sealed record ReceivedSpan(
    string Trace, string Span, string Parent, string Name, TimeSpan Duration, bool IsError, IReadOnlyDictionary<string, string> Tags,
    IReadOnlyList<(string Trace, string Span)> Links);

/// <summary>Listens on a port of 127.0.0.1 until dispose.</summary>
public sealed class OtlpReceiver : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<ReceivedSpan> _spans = new();
    private readonly ConcurrentQueue<string> _metrics = new();

    public OtlpReceiver()
    {
        Address = $"http://127.0.0.1:{FreePort.Next()}/";
        _listener.Prefixes.Add(Address);
        _listener.Start();
        _ = Task.Run(ReceiveAsync);
    }

    /// <summary>What a server is to be told.</summary>
    public string Address { get; }

    /// <summary>All spans so far.</summary>
    public IReadOnlyList<ReceivedSpan> Spans => [.. _spans];

    /// <summary>The options of a server that sends here, soon.</summary>
    public Dictionary<string, string> Options(TempFolder folder) => new(Sending)
    {
        ["STORAGE_DIR"] = folder["data"],
        ["DLQ_DIR"] = folder["dlq"],
        ["SPOOL_DIR"] = folder["spool"],
    };

    /// <summary>Those of them that are not about folders.</summary>
    public Dictionary<string, string> Sending => new()
    {
        ["FLUSH_INTERVAL"] = "50ms",
        ["OTEL_EXPORTER_OTLP_ENDPOINT"] = Address,
        ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        ["OTEL_METRIC_EXPORT_INTERVAL"] = "200",
        ["OTEL_BSP_SCHEDULE_DELAY"] = "100",
    };

    /// <summary>Whether a metric's name was received.</summary>
    public bool HasMetric(string name) => _metrics.Any(body => body.Contains(name, StringComparison.Ordinal));

    /// <summary>Waits for a span.</summary>
    public async Task<ReceivedSpan> SpanAsync(string name, Func<ReceivedSpan, bool>? condition = null)
    {
        ReceivedSpan? found = null;
        await Wait.UntilAsync(
            () => (found = _spans.FirstOrDefault(span => span.Name == name && (condition?.Invoke(span) ?? true))) is not null,
            TimeSpan.FromSeconds(30), $"a span {name} to arrive", () => string.Join("\n", _spans));
        return found!;
    }

    public void Dispose() => _listener.Close();

    private async Task ReceiveAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context = await _listener.GetContextAsync();
            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            if (context.Request.Url!.AbsolutePath == "/v1/traces")
            {
                // ExportTraceServiceRequest → resource_spans → scope_spans → spans
                foreach (Field span in Read(body.ToArray()).Where(f => f.Number == 1).SelectMany(f => Read(f.Bytes)).Where(f => f.Number == 2)
                    .SelectMany(f => Read(f.Bytes)).Where(f => f.Number == 2))
                {
                    _spans.Enqueue(ToSpan(Read(span.Bytes)));
                }
            }
            else
            {
                _metrics.Enqueue(Encoding.Latin1.GetString(body.ToArray()));
            }

            context.Response.Close();
        }
    }

    private static ReceivedSpan ToSpan(List<Field> fields) => new(
        Hex(fields, 1), Hex(fields, 2), Hex(fields, 4), Text(fields, 5),
        TimeSpan.FromTicks((long)((Number(fields, 8) - Number(fields, 7)) / 100)),
        fields.Where(f => f.Number == 15).Any(status => Number(Read(status.Bytes), 3) == 2),
        fields.Where(f => f.Number == 9).Select(f => Read(f.Bytes))
            .ToDictionary(pair => Text(pair, 1), pair => Value(Read(pair.First(f => f.Number == 2).Bytes))),
        [.. fields.Where(f => f.Number == 13).Select(f => Read(f.Bytes)).Select(link => (Hex(link, 1), Hex(link, 2)))]);

    private static string Value(List<Field> value) =>
        value.Count == 0 ? "" : value[0].Number == 1 ? Encoding.UTF8.GetString(value[0].Bytes) : $"{value[0].Value}";

    private static string Text(List<Field> fields, int number) =>
        Encoding.UTF8.GetString(fields.FirstOrDefault(f => f.Number == number)?.Bytes ?? []);

    private static string Hex(List<Field> fields, int number) =>
        Convert.ToHexStringLower(fields.FirstOrDefault(f => f.Number == number)?.Bytes ?? []);

    private static ulong Number(List<Field> fields, int number) => fields.FirstOrDefault(f => f.Number == number)?.Value ?? 0;

    // Protobuf's wire format: a tag, then a varint, 8 or 4 bytes, or a length and bytes.
    private static List<Field> Read(byte[] message)
    {
        List<Field> fields = [];
        int at = 0;
        while (at < message.Length)
        {
            ulong tag = Varint(message, ref at);
            int number = (int)(tag >> 3);
            switch (tag & 7)
            {
                case 0:
                    fields.Add(new Field(number, Varint(message, ref at), []));
                    break;
                case 1:
                    fields.Add(new Field(number, BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(at)), []));
                    at += 8;
                    break;
                case 2:
                    int length = (int)Varint(message, ref at);
                    fields.Add(new Field(number, 0, message[at..(at + length)]));
                    at += length;
                    break;
                case 5:
                    fields.Add(new Field(number, BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(at)), []));
                    at += 4;
                    break;
                default:
                    throw new InvalidDataException($"no protobuf: tag {tag}");
            }
        }

        return fields;
    }

    private static ulong Varint(byte[] message, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte part = message[at++];
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
    }

    private sealed record Field(int Number, ulong Value, byte[] Bytes);
}
