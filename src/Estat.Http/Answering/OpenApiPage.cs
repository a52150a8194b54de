// /openapi.json: what this node answers over HTTP, described for programs, with this node's limits.
using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Estat.Http.Answering;

/// <summary>
/// One document of several parts. The frame (openapi.json, beside this) has what every node answers and what all parts refer to; each capability
/// brings its own paths. All are written by hand: docs/decisions/0008 says why. Nothing is read before somebody asks for the document.
/// </summary>
internal static class OpenApiPage
{
    /// <summary>Where it is.</summary>
    internal const string Path = "/openapi.json";

    private const string AMinute = "public, max-age=60";

    private static readonly JsonSerializerOptions Readable = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, WriteIndented = true,
    };

    /// <summary>The page of these parts; none when there are none.</summary>
    /// <param name="parts">What capabilities describe of themselves: each a JSON object with some of the members of a document.</param>
    internal static IReadOnlyList<Page> Of(IReadOnlyList<Func<string>> parts) => parts.Count == 0 ? [] :
    [
        new(Path, new CachedAnswer("application/json", AMinute, isForOtherOrigins: true, () => Write(parts)).HandleAsync, IsOpen: true),
    ];

    /// <summary>The document, UTF-8.</summary>
    /// <exception cref="InvalidOperationException">Two parts describe the same thing; the message names it.</exception>
    internal static byte[] Write(IReadOnlyList<Func<string>> parts)
    {
        string version = typeof(OpenApiPage).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";
        JsonObject frame = Parse(Encoding.UTF8.GetString(Resource.Read("openapi.json")).Replace("%VERSION%", version.Split('+')[0],
            StringComparison.Ordinal));
        JsonObject[] all = [.. parts.Select(part => Parse(part())), frame];
        var document = new JsonObject { ["openapi"] = frame["openapi"]!.DeepClone(), ["info"] = frame["info"]!.DeepClone() };
        document["info"]!["description"] = string.Join("\n\n", all.Select(part => part["info"]!["description"]!.GetValue<string>()));
        document["servers"] = frame["servers"]!.DeepClone();
        document["tags"] = new JsonArray([.. all.SelectMany(part => part["tags"]!.AsArray()).Select(tag => tag!.DeepClone())]);
        document["paths"] = Merge(all.Select(part => part["paths"]), "paths");
        var components = new JsonObject();
        string[] kinds = [.. all.SelectMany(part => part["components"]?.AsObject() ?? []).Select(kind => kind.Key).Distinct()];
        foreach (string kind in kinds)
        {
            components[kind] = Merge(all.Select(part => part["components"]?[kind]), kind);
        }

        document["components"] = components;
        return Encoding.UTF8.GetBytes(document.ToJsonString(Readable) + "\n");
    }

    private static JsonObject Parse(string text) => JsonNode.Parse(text)!.AsObject();

    // What stood in two parts would be true of one of them alone.
    private static JsonObject Merge(IEnumerable<JsonNode?> parts, string what)
    {
        var merged = new JsonObject();
        foreach ((string name, JsonNode? value) in parts.SelectMany(part => part?.AsObject() ?? []))
        {
            if (!merged.TryAdd(name, value!.DeepClone()))
            {
                throw new InvalidOperationException($"{name} stands twice among the {what} of {Path}.");
            }
        }

        return merged;
    }
}
