// The JSON that the pages answer with, but for a node's state (Estat.Collect.Administration.NodeState).
using Microsoft.AspNetCore.Http;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Estat.Collect.Dlq;
using Estat.Collect.Recovery;
using Estat.Collect.Tailing;
using Estat.Http.Administration;

namespace Estat.Collect.Http;

/// <summary>Generated serialization: no reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ObjectList))]
[JsonSerializable(typeof(ObjectPreview))]
[JsonSerializable(typeof(DlqPage))]
[JsonSerializable(typeof(InspectedFile))]
[JsonSerializable(typeof(QuarantinedObjects))]
[JsonSerializable(typeof(OrderOutcome))]
[JsonSerializable(typeof(Discarded))]
[JsonSerializable(typeof(FileCount))]
[JsonSerializable(typeof(Flushed))]
[JsonSerializable(typeof(Retried))]
[JsonSerializable(typeof(RemindedSpools))]
[JsonSerializable(typeof(ForgottenSpool))]
[JsonSerializable(typeof(TailNote))]
internal sealed partial class AdminJson : JsonSerializerContext
{
    /// <summary>Texts as they are, not as escapes: these answers are read on terminals as well, and never by a browser as a page.</summary>
    internal static readonly AdminJson Readable = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    internal static byte[] Of<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    internal static AdminReply Reply<T>(T value, JsonTypeInfo<T> type) => new(StatusCodes.Status200OK, "application/json") { Body = Of(value, type) };
}
