// The JSON that the frame of the operator's pages makes itself.
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Estat.Http.Administration;

/// <summary>A node that does not answer.</summary>
internal sealed record SilentNode(SilentName Node, string Error);

/// <summary>What is known of it.</summary>
internal sealed record SilentName(string Name);

/// <summary>Generated serialization: no reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SilentNode))]
internal sealed partial class NodeJson : JsonSerializerContext
{
    /// <summary>Texts as they are, not as escapes: these answers are read on terminals as well, and never by a browser as a page.</summary>
    internal static readonly NodeJson Readable = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
