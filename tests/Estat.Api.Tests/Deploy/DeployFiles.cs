// What lies under deploy/ and docs/, read as the tools do that use it.
using System.Text.RegularExpressions;
using Estat.Testing;
using YamlDotNet.RepresentationModel;

namespace Estat.Api.Tests.Deploy;

/// <summary>YAML (JSON is YAML as well) with short ways to its parts.</summary>
internal static partial class DeployFiles
{
    /// <summary>A file of the repository.</summary>
    internal static string Text(string path) => File.ReadAllText(Path.Combine(Repository.Root, path));

    /// <summary>Its documents; those of comments alone left out.</summary>
    internal static IReadOnlyList<YamlMappingNode> Documents(string path)
    {
        var stream = new YamlStream();
        using var reader = new StringReader(Text(path));
        stream.Load(reader);
        return [.. stream.Documents.Select(document => document.RootNode).OfType<YamlMappingNode>()];
    }

    /// <summary>A part by its way, such as <c>spec/template/spec</c>; null when there is none.</summary>
    internal static YamlNode? At(this YamlNode node, string way)
    {
        YamlNode? at = node;
        foreach (string name in way.Split('/'))
        {
            at = at is YamlMappingNode map && map.Children.TryGetValue(new YamlScalarNode(name), out YamlNode? next) ? next : null;
        }

        return at;
    }

    /// <summary>A scalar's text; it has to be there.</summary>
    internal static string TextAt(this YamlNode node, string way) => Assert.IsType<YamlScalarNode>(node.At(way)).Value ?? "";

    /// <summary>A sequence's items; none when it is not there.</summary>
    internal static IEnumerable<YamlNode> Items(this YamlNode node, string way) => node.At(way) is YamlSequenceNode items ? items : [];

    /// <summary>The anchors of a Markdown file's headings, as GitHub makes them.</summary>
    internal static IReadOnlySet<string> Anchors(string path) =>
        Heading().Matches(Text(path)).Select(match => NoAnchor().Replace(match.Groups[1].Value.Trim().ToLowerInvariant(), "").Replace(' ', '-'))
            .ToHashSet();

    [GeneratedRegex("^#+ (.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("[^a-z0-9 _-]")]
    private static partial Regex NoAnchor();
}
