// JSON Schema (2020-12), as much of it as openapi.json uses.
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Estat.Api.Tests.Contract;

/// <summary>Says what of a value a schema does not allow. A keyword that it does not know is an error: nothing goes unchecked in silence.</summary>
/// <param name="root">The document that <c>$ref</c> points into.</param>
internal sealed class JsonSchema(JsonNode root)
{
    private static readonly HashSet<string> Annotations = ["description", "example", "examples", "default", "format", "title"];

    /// <summary>Empty if the value is valid.</summary>
    internal IReadOnlyList<string> Check(JsonNode schema, JsonNode? value)
    {
        var faults = new List<string>();
        Check(schema, value, "$", faults);
        return faults;
    }

    /// <summary>What a <c>$ref</c> stands for; anything else is itself.</summary>
    internal JsonNode Resolve(JsonNode node)
    {
        while (node is JsonObject && node["$ref"] is { } reference)
        {
            JsonNode? target = root;
            foreach (string part in reference.GetValue<string>().Split('/')[1..])
            {
                target = target?[part];
            }

            node = target ?? throw new InvalidDataException($"{reference} points nowhere");
        }

        return node;
    }

    private void Check(JsonNode schema, JsonNode? value, string where, List<string> faults)
    {
        foreach ((string keyword, JsonNode? operand) in Resolve(schema).AsObject())
        {
            bool holds = keyword switch
            {
                "type" => IsType(operand!, value),
                "const" => JsonNode.DeepEquals(operand, value),
                "enum" => operand!.AsArray().Any(one => JsonNode.DeepEquals(one, value)),
                "minimum" => value is not JsonValue || value.GetValueKind() != JsonValueKind.Number || Number(value) >= Number(operand!),
                "maximum" => value is not JsonValue || value.GetValueKind() != JsonValueKind.Number || Number(value) <= Number(operand!),
                "minLength" => Text(value) is not { } text || text.Length >= Number(operand!),
                "maxLength" => Text(value) is not { } text || text.Length <= Number(operand!),
                "pattern" => Text(value) is not { } text || Regex.IsMatch(text, operand!.GetValue<string>()),
                "maxItems" => value is not JsonArray items || items.Count <= Number(operand!),
                "required" => value is not JsonObject members || operand!.AsArray().All(name => members.ContainsKey(name!.GetValue<string>())),
                "anyOf" => operand!.AsArray().Any(one => Check(one!, value).Count == 0),
                "properties" or "additionalProperties" or "items" => true,
                _ => Annotations.Contains(keyword) ? true : throw new InvalidDataException($"the schema says {keyword}, which is not checked here"),
            };
            if (!holds)
            {
                faults.Add($"{where}: {keyword} {operand?.ToJsonString()}, but it is {Short(value)}");
            }
        }

        CheckMembers(Resolve(schema).AsObject(), value, where, faults);
    }

    private void CheckMembers(JsonObject schema, JsonNode? value, string where, List<string> faults)
    {
        if (value is JsonArray items && schema["items"] is { } each)
        {
            for (int i = 0; i < items.Count; i++)
            {
                Check(each, items[i], $"{where}[{i.ToString(CultureInfo.InvariantCulture)}]", faults);
            }
        }

        foreach ((string name, JsonNode? member) in value as JsonObject ?? [])
        {
            if (schema["properties"]?[name] is { } known)
            {
                Check(known, member, $"{where}.{name}", faults);
            }
            else if (schema["additionalProperties"]?.GetValueKind() == JsonValueKind.False)
            {
                faults.Add($"{where}.{name} is not described");
            }
            else if (schema["additionalProperties"] is JsonObject others)
            {
                Check(others, member, $"{where}.{name}", faults);
            }
        }
    }

    private static bool IsType(JsonNode operand, JsonNode? value) =>
        operand is JsonArray several ? several.Any(one => IsType(one!, value)) : operand.GetValue<string>() switch
        {
            "null" => value is null,
            "object" => value is JsonObject,
            "array" => value is JsonArray,
            "string" => Text(value) is not null,
            "boolean" => value?.GetValueKind() is JsonValueKind.True or JsonValueKind.False,
            "number" => value?.GetValueKind() == JsonValueKind.Number,
            "integer" => value?.GetValueKind() == JsonValueKind.Number && double.IsInteger(Number(value)),
            var other => throw new InvalidDataException($"no type is called {other}"),
        };

    private static double Number(JsonNode value) => double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);

    private static string? Text(JsonNode? value) => value?.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : null;

    private static string Short(JsonNode? value)
    {
        string text = value?.ToJsonString() ?? "null";
        return text.Length <= 120 ? text : text[..120] + "…";
    }
}
