// How the answer of a query leaves.
using System.Text.Json;
using Estat.Http.Answering;
using Estat.Topics.Querying;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>200 with JSON that no cache keeps; without the body for HEAD.</summary>
internal static class QueryAnswers
{
    /// <summary>Writes it, and gives its memory back.</summary>
    internal static async Task WriteAsync(HttpContext context, AnswerBuffer body)
    {
        using (body)
        {
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = body.Length;
            context.Response.Headers.CacheControl = "no-store";
            if (HttpMethods.IsHead(context.Request.Method))
            {
                return;
            }

            int held = (int)Math.Min(body.Length, int.MaxValue);
            foreach (ReadOnlyMemory<byte> piece in body.Pieces)
            {
                await AnswerBody.WriteAsync(context, piece, held).ConfigureAwait(false);
            }
        }
    }

    /// <summary>An object, written at once.</summary>
    /// <param name="write">Writes its members.</param>
    internal static AnswerBuffer Make(Action<Utf8JsonWriter> write)
    {
        var body = new AnswerBuffer();
        using var json = new Utf8JsonWriter(body, RowJson.Readable);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
        return body;
    }
}
