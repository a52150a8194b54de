// A part of /openapi.json as a judge of answers.
using System.Globalization;
using System.Text.Json.Nodes;
using Estat.Api.Tests.Contract;

namespace Estat.Topics.Tests.Http;

/// <summary>Fails the test at an answer that the document does not describe.</summary>
/// <param name="document">The document.</param>
internal sealed class ContractJudge(JsonNode document)
{
    private readonly JsonSchema _schemas = new(document);

    /// <summary>Judges one answer.</summary>
    /// <param name="method">Of the request.</param>
    /// <param name="path">Of the request, without its query.</param>
    /// <param name="answer">The answer.</param>
    /// <param name="body">Its body.</param>
    internal void Judge(string method, string path, HttpResponseMessage answer, string body)
    {
        JsonNode? described = document["paths"]!.AsObject().Where(pair => Fits(pair.Key, path))
            .OrderBy(pair => pair.Key.Contains('{', StringComparison.Ordinal)).Select(pair => pair.Value).FirstOrDefault();
        JsonNode? operation = described?[method.ToLowerInvariant()];
        JsonNode schema = operation is null ? document["components"]!["schemas"]!["Problem"]! : SchemaOf(operation, answer);
        if (operation is null)
        {
            Assert.Equal(described is null ? 404 : 405, (int)answer.StatusCode);
        }

        if (body.Length > 0)
        {
            Assert.Empty(_schemas.Check(schema, JsonNode.Parse(body)));
        }

        if ((int)answer.StatusCode >= 400 && body.Length > 0)
        {
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
            if (path.StartsWith("/api/", StringComparison.Ordinal))
            {
                JsonNode problem = JsonNode.Parse(body)!;
                Assert.Equal((problem["detail"]!.ToString(), path), (problem["error"]!.ToString(), problem["path"]!.ToString()));
            }
        }
    }

    private JsonNode SchemaOf(JsonNode operation, HttpResponseMessage answer)
    {
        string status = ((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture);
        JsonNode? response = operation["responses"]![status];
        Assert.True(response is not null, $"{answer.RequestMessage!.RequestUri}: {status} is not described");
        response = _schemas.Resolve(response);
        foreach ((string name, JsonNode? header) in response["headers"]?.AsObject() ?? [])
        {
            bool isThere = answer.Headers.NonValidated.Contains(name)
                || answer.Content.Headers.Any(one => one.Key.Equals(name, StringComparison.OrdinalIgnoreCase));
            Assert.True(isThere || _schemas.Resolve(header!)["required"] is null, $"{name} is missing");
        }

        return response["content"]?.AsObject().First().Value!["schema"] ?? new JsonObject();
    }

    private static bool Fits(string template, string path)
    {
        string[] expected = template.Split('/');
        string[] parts = path.Split('/');
        return expected.Length == parts.Length
            && expected.Zip(parts).All(pair => pair.First == pair.Second || (pair.First.StartsWith('{') && pair.Second.Length > 0));
    }
}
