// What a node says when it refuses: application/problem+json, or something else if it was no Estat.
using System.Net;
using System.Text.Json;

namespace Estat.Cli.Frame;

/// <summary>A refusal, as far as the command line reads it.</summary>
/// <param name="Type">What verbs decide by, such as <c>urn:estat:problem:perhaps</c>; empty where it was no Estat.</param>
/// <param name="Detail">For people.</param>
/// <param name="Line">The line of the body that is wrong, from 1; null where it names none.</param>
internal sealed record ProblemText(string Type, string Detail, int? Line = null)
{
    private const int Longest = 300;

    /// <summary>Reads it: the <c>detail</c> of a problem; else the beginning of the body, else the status' name.</summary>
    internal static async Task<ProblemText> ReadAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        string text = await answer.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement is { ValueKind: JsonValueKind.Object } root && (TextOf(root, "detail") ?? TextOf(root, "title")) is { } detail)
            {
                int? line = root.TryGetProperty("line", out JsonElement number) && number.ValueKind == JsonValueKind.Number
                    && number.TryGetInt32(out int value) ? value : null;
                return new(TextOf(root, "type") ?? "", detail.TrimEnd('.'), line);
            }
        }
        catch (JsonException)
        {
            // A proxy's page: its beginning says most.
        }

        text = text.ReplaceLineEndings(" ").Trim();
        return new("", text.Length == 0 ? answer.ReasonPhrase ?? "" : text.Length > Longest ? text[..Longest] + "…" : text);
    }

    /// <summary>The words alone.</summary>
    internal static async Task<string> OfAsync(HttpResponseMessage answer, CancellationToken cancellationToken) =>
        (await ReadAsync(answer, cancellationToken).ConfigureAwait(false)).Detail;

    /// <summary>One line for an answer that trying again does not mend, with what to do.</summary>
    internal static async Task<string> RefusalAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        string detail = await OfAsync(answer, cancellationToken).ConfigureAwait(false);
        Uri? url = answer.RequestMessage?.RequestUri;
        string advice = answer.StatusCode switch
        {
            HttpStatusCode.Unauthorized when IsForKeys(url) => ". Give a write key: --key, or ESTAT_KEY",
            HttpStatusCode.Unauthorized => ". Give the node's ADMIN_TOKEN: ESTAT_TOKEN in the environment, or --token",
            HttpStatusCode.NotFound when detail.Length < 20 => ". Is --url an Estat node, of this version?",
            >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest =>
                $". It redirects to {answer.Headers.Location}; use that address for --url",
            _ => "",
        };
        return $"{url?.GetLeftPart(UriPartial.Authority)} answers {(int)answer.StatusCode}: {detail}{advice}";
    }

    // Behind a proxy there may be more before it.
    private static bool IsForKeys(Uri? url) => url?.AbsolutePath is { } path
        && (path.EndsWith("/collect", StringComparison.Ordinal) || path.EndsWith("/collect/batch", StringComparison.Ordinal)
            || path.Contains("/api/produce/", StringComparison.Ordinal));

    private static string? TextOf(JsonElement root, string name) =>
        root.TryGetProperty(name, out JsonElement member) && member.ValueKind == JsonValueKind.String && member.GetString() is { Length: > 0 } text
            ? text : null;
}
