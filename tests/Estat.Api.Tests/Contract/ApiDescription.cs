// /openapi.json as a judge: whether an answer is one that it describes.
using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Estat.Base.Acks;
using Estat.Collect.Http;
using Estat.Collect.Options;
using Estat.Http.Answering;
using Estat.Requests.Http;
using Estat.Requests.Options;
using Estat.Topics.Http;
using Estat.Topics.Options;

namespace Estat.Api.Tests.Contract;

/// <summary>One answer, as far as it is judged.</summary>
/// <param name="Method">Of the request.</param>
/// <param name="Path">Of the request, without its query.</param>
/// <param name="Status">Of the answer.</param>
/// <param name="Headers">Of the answer.</param>
/// <param name="ContentType">Of the answer; null if it names none.</param>
/// <param name="Body">Of the answer; null if it is not looked at.</param>
internal sealed record Answer(string Method, string Path, int Status, ILookup<string, string> Headers, string? ContentType, byte[]? Body);

/// <summary>Judges answers by a document. Whatever the document does not say must not happen.</summary>
internal sealed class ApiDescription
{
    // What is about the connection or the browser, not about the answer.
    private static readonly HashSet<string> Ambient = new(StringComparer.OrdinalIgnoreCase)
    {
        "Cache-Control", "Connection", "Content-Length", "Content-Security-Policy", "Content-Type", "Cross-Origin-Opener-Policy",
            "Cross-Origin-Resource-Policy", "Date",
        "Keep-Alive", "Referrer-Policy", "Strict-Transport-Security", "Transfer-Encoding", "Vary", "X-Content-Type-Options", "X-Frame-Options",
    };

    // What is refused before it is a whole request has an empty answer.
    private static readonly HashSet<int> BeforeTheRequest = [400, 405, 408, 414, 431, 505];

    // For people; their parts are the console's own affair.
    private static readonly string[] ForPeople = ["/console", "/orleans"];

    private static readonly ConcurrentDictionary<string, ApiDescription> Known = new(StringComparer.Ordinal);

    private readonly JsonNode _document;
    private readonly JsonSchema _schemas;

    private ApiDescription(string document)
    {
        _document = JsonNode.Parse(document)!;
        _schemas = new JsonSchema(_document);
    }

    /// <summary>That of a standalone server with the defaults.</summary>
    internal static ApiDescription Default { get; } = Of(DocumentOf("collect"));

    /// <summary>The document of a server with the defaults but for SERVE.</summary>
    internal static byte[] DocumentOf(string serve)
    {
        var parts = new Dictionary<string, Func<string>>
        {
            ["collect"] = () => CollectOpenApi.Write(new CollectOptions(), AckLevels.OfOneNode),
            ["requests"] = () => RequestsOpenApi.Write(new RequestsOptions(), "X-User-Id"),
            ["topics"] = () => TopicsOpenApi.Write(new TopicsOptions()),
        };
        return OpenApiPage.Write([.. serve.Split(',').Select(name => parts[name])]);
    }

    /// <summary>The judge of a document, made once.</summary>
    internal static ApiDescription Of(byte[] document) => Known.GetOrAdd(Encoding.UTF8.GetString(document), text => new ApiDescription(text));

    /// <summary>Fails the test if the answer is not described.</summary>
    internal void Check(Answer answer)
    {
        string[] faults = [.. FaultsOf(answer)];
        Assert.True(
            faults.Length == 0,
            $"{answer.Method} {answer.Path} was answered {answer.Status}, not as openapi.json of its project (Http/openapi.json) describes it; if the "
                + $"answer is meant so, describe it there.\n  {string.Join("\n  ", faults)}\n"
                + (answer.Body is null ? "" : Encoding.UTF8.GetString(answer.Body.AsSpan(0, Math.Min(answer.Body.Length, 1000)))));
    }

    /// <summary>What of the answer is not described.</summary>
    internal IEnumerable<string> FaultsOf(Answer answer)
    {
        if (ForPeople.Any(path => answer.Path == path || answer.Path.StartsWith(path + "/", StringComparison.Ordinal))
            || (BeforeTheRequest.Contains(answer.Status) && answer.ContentType is null && answer.Body is null or []))
        {
            return [];
        }

        // The guard of the admin pages answers for all of them, before it is known which it is.
        bool isAdmin = answer.Path == "/tail" || answer.Path.StartsWith("/admin", StringComparison.Ordinal);
        if (FindPath(answer.Path) is not { } path)
        {
            return isAdmin && GuardResponse(answer.Status) is { } refused ? FaultsOf(answer, refused)
                : answer.Status == 404 ? FaultsOf(answer, Problem()) : [$"the path {answer.Path} is not described, so its answer should be 404"];
        }

        JsonNode? operation = path[answer.Method.ToLowerInvariant()]
            ?? (isAdmin && answer is { Method: "HEAD", Status: not 405 } ? path["get"] : null);
        if (operation is null)
        {
            return answer.Status == 405 ? FaultsOf(answer, Problem("Allow"))
                .Concat(isAdmin && answer.Method == "OPTIONS" ? [] : FaultsOfAllow(answer, path, isAdmin))
                : isAdmin ? FaultsOf(answer, GuardResponse(answer.Status) ?? Problem())
                : [$"the method {answer.Method} is not described, so its answer should be 405"];
        }

        return operation["responses"]![answer.Status.ToString(System.Globalization.CultureInfo.InvariantCulture)] is { } response
            ? FaultsOf(answer, _schemas.Resolve(response).AsObject())
            : [$"the status {answer.Status} is not described"];
    }

    private JsonObject? GuardResponse(int status) => status switch
    {
        401 => Component("AdminRefused"),
        403 => Component("AdminForbidden"),
        405 => Problem("Allow"),
        429 => Component("AdminLocked"),
        _ => null,
    };

    private JsonObject Component(string name) => _document["components"]!["responses"]![name]!.AsObject();

    private static JsonObject Problem(string? header = null) => new()
    {
        ["headers"] = header is null ? [] : new JsonObject { [header] = new JsonObject { ["required"] = true, ["schema"] = new JsonObject() } },
        ["content"] = new JsonObject
        {
            ["application/problem+json"] = new JsonObject { ["schema"] = new JsonObject { ["$ref"] = "#/components/schemas/Problem" } },
        },
    };

    // Literal paths before those with a parameter.
    private JsonObject? FindPath(string path)
    {
        JsonObject paths = _document["paths"]!.AsObject();
        return (paths[path] ?? paths.FirstOrDefault(
            candidate => candidate.Key.Contains('{', StringComparison.Ordinal) && Fits(candidate.Key, path)).Value)?.AsObject();
    }

    private static bool Fits(string template, string path)
    {
        string[] expected = template.Split('/');
        string[] parts = path.Split('/');
        return expected.Length == parts.Length && expected.Zip(parts)
            .All(pair => pair.First == pair.Second || (pair.First.StartsWith('{') && pair.Second.Length > 0));
    }

    // HEAD of an admin page is not described: it is its GET without a body.
    private static IEnumerable<string> FaultsOfAllow(Answer answer, JsonObject path, bool isAdmin)
    {
        string[] described = [.. path.Select(operation => operation.Key.ToUpperInvariant()).Order(StringComparer.Ordinal)];
        string[] allowed = [.. answer.Headers["Allow"].SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries))
            .Where(method => !isAdmin || method != "HEAD").Order(StringComparer.Ordinal)];
        return described.SequenceEqual(allowed) ? [] : [$"Allow says {string.Join(", ", allowed)}; described are {string.Join(", ", described)}"];
    }

    private IEnumerable<string> FaultsOf(Answer answer, JsonObject response)
    {
        JsonObject headers = response["headers"]?.AsObject() ?? [];
        foreach (IGrouping<string, string> header in answer.Headers)
        {
            string? name = headers.Select(described => described.Key)
                .FirstOrDefault(key => key.Equals(header.Key, StringComparison.OrdinalIgnoreCase));
            if (name is null)
            {
                if (!Ambient.Contains(header.Key) && !header.Key.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase))
                {
                    yield return $"the header {header.Key} is not described";
                }

                continue;
            }

            foreach (string fault in _schemas.Check(_schemas.Resolve(headers[name]!)["schema"]!, JsonValue.Create(string.Join(", ", header))))
            {
                yield return $"header {name}: {fault}";
            }
        }

        foreach ((string name, JsonNode? described) in headers)
        {
            if (_schemas.Resolve(described!)["required"]?.GetValueKind() == JsonValueKind.True && !answer.Headers.Contains(name))
            {
                yield return $"the header {name} is missing";
            }
        }

        foreach (string fault in FaultsOfContent(answer, response["content"]?.AsObject() ?? []))
        {
            yield return fault;
        }
    }

    private IEnumerable<string> FaultsOfContent(Answer answer, JsonObject content)
    {
        if (answer.ContentType is null)
        {
            return content.Count > 0 && answer.Status != 204 ? ["it names no Content-Type"]
                : answer.Body is { Length: > 0 } ? ["it has a body, which is not described"]
                : [];
        }

        string type = answer.ContentType.Split(';')[0].Trim();
        if (content[type] is not { } media)
        {
            return [$"the content type {type} is not described"];
        }

        if (answer.Body is null || media["schema"] is not { } schema)
        {
            return [];
        }

        try
        {
            JsonNode? value = type.EndsWith("json", StringComparison.Ordinal) ? JsonNode.Parse(answer.Body)
                : JsonValue.Create(Encoding.UTF8.GetString(answer.Body));
            return _schemas.Check(schema, value).Select(fault => $"body: {fault}");
        }
        catch (JsonException error)
        {
            return [$"the body is no JSON: {error.Message}"];
        }
    }
}
