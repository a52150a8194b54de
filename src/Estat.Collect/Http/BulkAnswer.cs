// {"accepted":n,"rejected":[{"index":i,"reason":"…"}]}
using Microsoft.AspNetCore.Http;
using System.Buffers;
using System.Text.Json;
using Estat.Http.Answering;

namespace Estat.Collect.Http;

/// <summary>What became of a batch's events.</summary>
internal sealed class BulkAnswer
{
    private readonly List<int> _tooLarge = [];

    /// <summary>Events seen so far, taken or not; the next one's index.</summary>
    internal int Seen { get; set; }

    /// <summary>Events over <c>MAX_BODY_SIZE</c>.</summary>
    internal int Rejected => _tooLarge.Count;

    /// <summary>The event at this index is over <c>MAX_BODY_SIZE</c>.</summary>
    internal void RejectTooLarge(int index) => _tooLarge.Add(index);

    internal Task WriteAsync(HttpContext context, int maxBodySize)
    {
        context.Response.ContentType = "application/json";
        var body = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(body))
        {
            json.WriteStartObject();
            json.WriteNumber("accepted", Seen - Rejected);
            json.WriteStartArray("rejected");
            foreach (int index in _tooLarge)
            {
                json.WriteStartObject();
                json.WriteNumber("index", index);
                json.WriteString("reason", $"larger than {maxBodySize} bytes (MAX_BODY_SIZE)");
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        context.Response.ContentLength = body.WrittenCount;
        return AnswerBody.WriteAsync(context, body.WrittenMemory, own: body.Capacity);
    }
}
