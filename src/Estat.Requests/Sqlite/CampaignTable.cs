// Campaigns in the database.
using System.Text.Json;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;
using SQLitePCL;

namespace Estat.Requests.Sqlite;

/// <summary>Read whole at the start; afterwards written alone.</summary>
internal sealed class CampaignTable(sqlite3 connection) : IDisposable
{
    private const string Columns =
        "ordinal, id, settings, version, secret, seed, closed, paused, draw, sequence, decided, turned_away, accepted, received, queued, processing, "
        + "succeeded, rejected, failed";

    private readonly Statement _save = new(
        connection, $"INSERT OR REPLACE INTO campaign ({Columns}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");

    private readonly Statement _saveNumbers = new(
        connection,
        "UPDATE campaign SET sequence = ?2, decided = ?3, accepted = ?4, received = ?5, queued = ?6, processing = ?7, succeeded = ?8, rejected = ?9, "
        + "failed = ?10 WHERE ordinal = ?1");

    /// <summary>All of them.</summary>
    internal List<Campaign> ReadAll()
    {
        using var all = new Statement(connection, $"SELECT {Columns} FROM campaign ORDER BY ordinal");
        var campaigns = new List<Campaign>();
        while (all.Step())
        {
            campaigns.Add(Read(all));
        }

        return campaigns;
    }

    /// <summary>Writes what a transaction changed of a campaign.</summary>
    internal void Save(CampaignEntry entry)
    {
        Campaign campaign = entry.Whole;
        if (ReferenceEquals(entry.Current, entry.Published))
        {
            Statement numbers = _saveNumbers.Bind(1, campaign.Ordinal).Bind(2, campaign.LastSequence).Bind(3, campaign.Decided);
            BindCounts(numbers, 4, campaign.Counts).Run();
            return;
        }

        Statement save = _save.Bind(1, campaign.Ordinal).Bind(2, campaign.Id)
            .Bind(3, JsonSerializer.Serialize(campaign.Settings, StoredJson.Default.CampaignSettings)).Bind(4, campaign.Version)
            .Bind(5, campaign.Secret.Span).Bind(6, campaign.Seed.Span)
            .Bind(7, campaign.ClosedAt?.ToUnixTimeMilliseconds() ?? 0).Bind(8, campaign.IsPaused ? 1 : 0)
            .Bind(9, campaign.Draw is null ? null : JsonSerializer.Serialize(campaign.Draw, StoredJson.Default.DrawResult))
            .Bind(10, campaign.LastSequence).Bind(11, campaign.Decided).Bind(12, campaign.HasTurnedAway ? 1 : 0);
        BindCounts(save, 13, campaign.Counts).Run();
    }

    public void Dispose()
    {
        _save.Dispose();
        _saveNumbers.Dispose();
    }

    private static Statement BindCounts(Statement statement, int first, CampaignCounts counts) =>
        statement.Bind(first, counts.Accepted).Bind(first + 1, counts.Received).Bind(first + 2, counts.Queued).Bind(first + 3, counts.Processing)
            .Bind(first + 4, counts.Succeeded).Bind(first + 5, counts.Rejected).Bind(first + 6, counts.Failed);

    private static Campaign Read(Statement row) => new()
    {
        Ordinal = row.Int(0),
        Id = row.Text(1)!,
        Settings = JsonSerializer.Deserialize(row.Text(2)!, StoredJson.Default.CampaignSettings)!,
        Version = row.Long(3),
        Secret = row.Bytes(4).ToArray(),
        Seed = row.Bytes(5).ToArray(),
        ClosedAt = row.Long(6) is > 0 and var closed ? DateTimeOffset.FromUnixTimeMilliseconds(closed) : null,
        IsPaused = row.Int(7) != 0,
        Draw = row.Text(8) is { } draw ? JsonSerializer.Deserialize(draw, StoredJson.Default.DrawResult) : null,
        LastSequence = row.Long(9),
        Decided = row.Long(10),
        HasTurnedAway = row.Int(11) != 0,
        Counts = new CampaignCounts(row.Long(12), row.Long(13), row.Long(14), row.Long(15), row.Long(16), row.Long(17), row.Long(18)),
    };
}
