// The pages of campaigns and requests of a node.
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Estat.Cli.Frame;

namespace Estat.Cli.Campaigns;

/// <summary>One node, by <c>--url</c>. A 404 of a whole page means that the node does not serve requests.</summary>
internal sealed class CampaignDesk(AdminClient admin) : IDisposable
{
    /// <summary>Opens it.</summary>
    internal static CampaignDesk Of(NodeOptions node, ParseResult parsed, Shell shell) => new(AdminClient.Of(node, parsed, shell));

    /// <summary>Where it is.</summary>
    internal string Description => admin.Url.GetLeftPart(UriPartial.Authority);

    /// <summary>The path of a campaign.</summary>
    internal static string PathOf(string campaign, string rest = "") => $"admin/campaigns/{Uri.EscapeDataString(campaign)}{rest}";

    /// <summary>Reads a page that every node has that serves requests.</summary>
    internal async Task<T> ReadAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class =>
        await admin.GetAsync(path, type, cancellationToken).ConfigureAwait(false)
        ?? throw new CliException($"{Description} has no campaigns. Does it serve them? Start it with SERVE=collect,requests");

    /// <summary>Reads a campaign.</summary>
    internal async Task<CampaignAnswer> CampaignAsync(string campaign, CancellationToken cancellationToken) =>
        await admin.GetAsync(PathOf(campaign), CampaignAnswersJson.Readable.CampaignAnswer, cancellationToken).ConfigureAwait(false)
        ?? throw new CliException($"{Description} has no campaign {campaign}; estat campaigns list names them");

    /// <summary>Copies an export.</summary>
    internal async Task CopyAsync(string path, string campaign, FileStream target, CancellationToken cancellationToken)
    {
        if (!await admin.CopyAsync(path, target, cancellationToken).ConfigureAwait(false))
        {
            throw new CliException($"{Description} has no campaign {campaign}; estat campaigns list names them");
        }
    }

    /// <summary>Orders something.</summary>
    /// <exception cref="CliException">The node does not do it; the message has its words.</exception>
    internal Task<T> OrderAsync<T>(HttpMethod method, string path, AdminBody? body, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        admin.OrderAsync(method, path, body, type, cancellationToken);

    /// <summary>An order's body.</summary>
    internal static AdminBody Body<T>(T wish, JsonTypeInfo<T> type) => new(JsonSerializer.SerializeToUtf8Bytes(wish, type));

    /// <inheritdoc/>
    public void Dispose() => admin.Dispose();
}
