// What a node says when it refuses: application/problem+json, or something else if it was no Estat.
using System.Net;
using System.Text.Json;

namespace Estat.Cli.Frame;

/// <summary>Turns an answer into words for the user.</summary>
internal static class ProblemText
{
    private const int Longest = 300;

    /// <summary>The <c>detail</c> of a problem; else the beginning of the body, else the status' name.</summary>
    internal static async Task<string> OfAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        string text = await answer.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            using var document = JsonDocument.Parse(text);
            if (document.RootElement.ValueKind == JsonValueKind.Object
                && (document.RootElement.TryGetProperty("detail", out JsonElement detail) || document.RootElement.TryGetProperty("title", out detail))
                && detail.GetString() is { Length: > 0 } words)
            {
                return words.TrimEnd('.');
            }
        }
        catch (JsonException)
        {
            // A proxy's page: its beginning says most.
        }

        text = text.ReplaceLineEndings(" ").Trim();
        return text.Length == 0 ? answer.ReasonPhrase ?? "" : text.Length > Longest ? text[..Longest] + "…" : text;
    }

    /// <summary>One line for an answer that trying again does not mend, with what to do.</summary>
    internal static async Task<string> RefusalAsync(HttpResponseMessage answer, CancellationToken cancellationToken)
    {
        string detail = await OfAsync(answer, cancellationToken).ConfigureAwait(false);
        Uri? url = answer.RequestMessage?.RequestUri;
        bool isCollect = url?.AbsolutePath is { } path
            && (path.EndsWith("/collect", StringComparison.Ordinal) || path.EndsWith("/collect/batch", StringComparison.Ordinal));
        string advice = answer.StatusCode switch
        {
            HttpStatusCode.Unauthorized when isCollect => ". Give a write key: --key, or ESTAT_KEY",
            HttpStatusCode.Unauthorized => ". Give the node's ADMIN_TOKEN: ESTAT_TOKEN in the environment, or --token",
            HttpStatusCode.NotFound when detail.Length < 20 => ". Is --url an Estat node, of this version?",
            >= HttpStatusCode.MultipleChoices and < HttpStatusCode.BadRequest =>
                $". It redirects to {answer.Headers.Location}; use that address for --url",
            _ => "",
        };
        return $"{url?.GetLeftPart(UriPartial.Authority)} answers {(int)answer.StatusCode}: {detail}{advice}";
    }
}
