// The part of /openapi.json that topics bring: queries, producing, and the operator's pages.
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Estat.Http.Answering;
using Estat.Topics.Options;

namespace Estat.Topics.Http;

/// <summary>Two documents by hand (queries.openapi.json, produce.openapi.json, beside this), made one; <c>%OPTION%</c> becomes the option's
/// value.</summary>
internal static class TopicsOpenApi
{
    /// <summary>The part.</summary>
    /// <param name="options">Whose limits it names.</param>
    internal static string Write(TopicsOptions options)
    {
        JsonObject whole = JsonNode.Parse(QueryOpenApi.Write(options))!.AsObject();
        JsonObject produce = JsonNode.Parse(Produce(options))!.AsObject();
        whole["info"]!["description"] = $"{produce["info"]!["description"]} {whole["info"]!["description"]}";
        foreach (JsonNode? tag in produce["tags"]!.AsArray())
        {
            whole["tags"]!.AsArray().Add(tag!.DeepClone());
        }

        Add(produce["paths"]!, whole["paths"]!);
        foreach ((string kind, JsonNode? components) in produce["components"]!.AsObject())
        {
            Add(components!, whole["components"]![kind]!);
        }

        return whole.ToJsonString();
    }

    private static void Add(JsonNode from, JsonNode to)
    {
        foreach ((string name, JsonNode? value) in from.AsObject())
        {
            to.AsObject().Add(name, value!.DeepClone());
        }
    }

    private static string Produce(TopicsOptions options) =>
        new StringBuilder(Encoding.UTF8.GetString(Resource.Read("produce.openapi.json", typeof(TopicsOpenApi).Assembly)))
            .Replace("%TOPICS_MAX_MESSAGES%", Text(options.MaxMessages)).Replace("%TOPICS_MAX_BODY_SIZE%", Text(options.MaxBodySize))
            .Replace("%TOPICS_MAX_MESSAGE_BYTES%", Text(options.MaxMessageBytes))
            .Replace("%TOPICS_DEDUP%", options.Dedup.TotalSeconds.ToString(CultureInfo.InvariantCulture))
            .ToString();

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
