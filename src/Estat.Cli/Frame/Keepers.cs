// Which nodes of a cluster keep events.
using System.Text.Json.Serialization;

namespace Estat.Cli.Frame;

/// <summary>Reads <c>/admin/nodes</c>.</summary>
internal static class Keepers
{
    /// <summary>The nodes that keep events, with why one is of no use that does not answer.</summary>
    /// <exception cref="CliException">There is none, or the node that is asked does not answer.</exception>
    internal static async Task<IReadOnlyList<(string Name, string? Silent)>> ReadAsync(AdminClient admin, CancellationToken cancellationToken)
    {
        KnownNodes known = await admin.GetAsync("admin/nodes", KeepersJson.Default.KnownNodes, cancellationToken).ConfigureAwait(false)
            ?? throw new CliException($"{admin.Url.GetLeftPart(UriPartial.Authority)} has no /admin/nodes. Is it a node of this version?");
        (string, string?)[] keepers =
            [.. known.Nodes.Where(node => node.Error is not null || node.Storage is not null).Select(node => (node.Node.Name, node.Error))];
        return keepers.Length > 0 ? keepers
            : throw new CliException("no node keeps events: the gateway knows no silo now. Try again when it does, or give --url a silo's address");
    }
}

/// <summary>What is read of the answer.</summary>
internal sealed record KnownNodes
{
    /// <summary>All nodes.</summary>
    public required IReadOnlyList<KnownNode> Nodes { get; init; }
}

/// <summary>A node.</summary>
internal sealed record KnownNode
{
    /// <summary>Who it is.</summary>
    public required KnownName Node { get; init; }

    /// <summary>Why it does not answer; null when it does.</summary>
    public string? Error { get; init; }

    /// <summary>Null at a gateway, which keeps no events.</summary>
    public KnownStorage? Storage { get; init; }
}

/// <summary>Its name.</summary>
internal sealed record KnownName
{
    /// <summary>Unique in a cluster.</summary>
    public required string Name { get; init; }
}

/// <summary>That it stores.</summary>
internal sealed record KnownStorage;

/// <summary>Generated deserialization: no reflection at start-up.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(KnownNodes))]
internal sealed partial class KeepersJson : JsonSerializerContext;
