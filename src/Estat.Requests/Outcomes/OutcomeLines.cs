// Outcomes as the lake has them: one JSON object a line.
using System.Buffers;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using Estat.Base.Memory;
using Estat.Base.Storage;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Outcomes;

/// <summary>
/// The same batch is the same lines, byte for byte, whenever and by whichever version they are written: that is how a batch whose upload's answer was
/// lost is recognised. So members keep their order, and new ones come behind the old ones of new batches alone.
/// </summary>
internal static class OutcomeLines
{
    private static readonly JsonWriterOptions Readable = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The lines of a batch, uncompressed.</summary>
    internal static byte[] Of(OutcomeBatch batch)
    {
        var lines = new ArrayBufferWriter<byte>(64 * 1024);
        using var json = new Utf8JsonWriter(lines, Readable);
        foreach (Outcome outcome in batch.Outcomes)
        {
            Write(json, outcome);
            json.Flush();
            json.Reset();
            lines.Write("\n"u8);
        }

        return lines.WrittenSpan.ToArray();
    }

    /// <summary>What is stored of a batch. The stream is its owner's to dispose of.</summary>
    internal static ObjectContent ContentOf(OutcomeBatch batch, PooledStream gzip)
    {
        byte[] lines = Of(batch);
        using (var compressor = new GZipStream(gzip, CompressionLevel.Fastest, leaveOpen: true))
        {
            compressor.Write(lines);
        }

        var seal = new Seal(
            batch.Outcomes.Count, lines.Length, Convert.ToHexStringLower(SHA256.HashData(lines)), batch.Outcomes[^1].Number);
        return new ObjectContent(gzip.OpenRead, seal, IsGzip: true);
    }

    private static void Write(Utf8JsonWriter json, Outcome outcome)
    {
        json.WriteStartObject();
        json.WriteString("campaign", outcome.CampaignId);
        json.WriteString("request_id", outcome.Id.Value);
        json.WriteNumber("generation", outcome.Generation);
        json.WriteString("state", outcome.State.ToText());
        json.WriteString("reason", outcome.Reason);
        json.WriteNumber("sequence", outcome.Sequence);
        json.WriteNumber("attempts", outcome.Attempts);
        json.WriteString("received_at", Rfc3339.ToText(outcome.Times.Received));
        json.WriteString("queued_at", Rfc3339.ToText(outcome.Times.Queued));
        json.WriteString("processing_at", outcome.Times.Processing > 0 ? Rfc3339.ToText(outcome.Times.Processing) : null);
        json.WriteString("final_at", Rfc3339.ToText(outcome.Times.Final));
        json.WriteNumber("number", outcome.Number);
        json.WriteEndObject();
    }
}
