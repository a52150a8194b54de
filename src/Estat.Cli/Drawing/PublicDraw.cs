// The public pages of a draw.
using System.Text.Json.Serialization;
using Estat.Cli.Frame;

namespace Estat.Cli.Drawing;

/// <summary>What GET /campaigns/{id}/draw answers.</summary>
internal sealed record DrawPage
{
    /// <summary>Its campaign.</summary>
    public required string CampaignId { get; init; }

    /// <summary>SHA-256 of its seed, public before the opening.</summary>
    public required string SeedHash { get; init; }

    /// <summary>How many win.</summary>
    public long Winners { get; init; }

    /// <summary>Randomness of others; null without.</summary>
    public DrawBeacon? Beacon { get; init; }

    /// <summary>Whether it was held; without it what follows is absent.</summary>
    public bool Drawn { get; init; }

    /// <summary>32 bytes, as hex.</summary>
    public string? Seed { get; init; }

    /// <summary>Ids in the list.</summary>
    public long Requests { get; init; }

    /// <summary>SHA-256 of the list.</summary>
    public string? Cut { get; init; }
}

/// <summary>A round of a drand chain.</summary>
internal sealed record DrawBeacon
{
    /// <summary>The chain's hash.</summary>
    public required string Chain { get; init; }

    /// <summary>The round.</summary>
    public long Round { get; init; }

    /// <summary>Its randomness, as the operator gave it.</summary>
    public string? Value { get; init; }
}

/// <summary>What a drand node answers of a round.</summary>
internal sealed record DrandRound
{
    /// <summary>As hex.</summary>
    public required string Randomness { get; init; }
}

/// <summary>Reads both pages of one draw. They are for everybody: no token goes along.</summary>
/// <param name="campaign">The campaign's address, without a slash at its end.</param>
/// <param name="shell">Clock and interruption.</param>
internal sealed class PublicDraw(Uri campaign, Shell shell) : IDisposable
{
    private readonly AdminClient _client = Client(campaign, shell);

    /// <summary>Its proof.</summary>
    /// <exception cref="CliException">There is no such draw.</exception>
    internal async Task<DrawPage> ReadAsync() =>
        await _client.GetAsync($"{campaign.AbsolutePath}/draw", DrawJson.Default.DrawPage, shell.Asked).ConfigureAwait(false)
        ?? throw new CliException($"{campaign} has no draw. Is it a campaign of policy draw?");

    /// <summary>Its list.</summary>
    /// <exception cref="CliException">It is not there.</exception>
    internal async Task<byte[]> ListAsync()
    {
        string path = Path.GetTempFileName();
        try
        {
            using var file = new FileStream(path, FileMode.Create, FileAccess.ReadWrite, FileShare.None);
            if (!await _client.CopyAsync($"{campaign.AbsolutePath}/draw/requests", file, shell.Asked).ConfigureAwait(false))
            {
                throw new CliException($"{campaign}/draw/requests is not there");
            }

            byte[] list = new byte[file.Length];
            file.Position = 0;
            await file.ReadExactlyAsync(list, shell.Asked).ConfigureAwait(false);
            return list;
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>The randomness of a round, from a drand node.</summary>
    /// <exception cref="CliException">The node does not have it.</exception>
    internal static async Task<string> RandomnessAsync(Uri drand, DrawBeacon beacon, Shell shell)
    {
        using AdminClient client = Client(drand, shell);
        string path = $"{drand.AbsolutePath.TrimEnd('/')}/{Uri.EscapeDataString(beacon.Chain)}/public/{beacon.Round}";
        DrandRound round = await client.GetAsync(path, DrawJson.Default.DrandRound, shell.Asked).ConfigureAwait(false)
            ?? throw new CliException($"{new Uri(drand, path)} is not there. Has the round come, and does this node follow the chain?");
        return round.Randomness;
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private static AdminClient Client(Uri url, Shell shell) => new(
        NodeOptions.ClientOf(new Uri(url.GetLeftPart(UriPartial.Authority)), token: null, key: null, connections: 2), node: null, shell.Time,
        shell.Asked);
}

/// <summary>Generated deserialization: no reflection at start-up.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DrawPage))]
[JsonSerializable(typeof(DrandRound))]
internal sealed partial class DrawJson : JsonSerializerContext;
