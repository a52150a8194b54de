// The table and the queries of deploy/analytics, run by DuckDB over objects that a store and its writer made.
using System.Globalization;
using System.Text.RegularExpressions;
using DuckDB.NET.Data;

namespace Estat.Requests.Tests.Outcomes;

public sealed partial class AnalyticsTests
{
    private const string Folder = "deploy/analytics";

    // 20 requests at intervals of 100 ms, decided together: they waited 2,000 ms, 1,900 ms and so on down to 100 ms.
    [Fact]
    public async Task The_decisions_of_each_campaign_have_their_percentiles()
    {
        await using OutcomeRig rig = await OutcomeRig.OpenAsync();
        await AcceptAsync(rig, "sale", 20);
        await AcceptAsync(rig, "other", 1);
        await rig.Store.WithdrawAsync(rig.IdOf("other", "user0"));
        await rig.AcceptAsync("other", "last");
        rig.Time.Advance(TimeSpan.FromSeconds(7));
        await rig.Store.PauseAsync("other", isPaused: false);
        await DecidedAsync(rig, "other");
        await StoreAsync(rig);

        Assert.Equal(["other|1|7000|7000|7000", "sale|20|1000|1900|2000"], Ask(rig, "decision-time.sql"));
    }

    [Fact]
    public async Task The_parts_that_succeeded_and_failed_go_by_the_last_generation_and_the_DLQ_ratio_by_all()
    {
        await using OutcomeRig rig = await OutcomeRig.OpenAsync(batch: 3);
        await rig.MakeAsync("sale", 2);
        foreach (string user in new[] { "bad1", "bad2", "a", "b", "c" })
        {
            await rig.AcceptAsync("sale", user);
        }

        await rig.Time.AdvanceUntilAsync(
            TimeSpan.FromSeconds(1), () => rig.Store.FindCampaign("sale")!.Counts.Open == 0, "all attempts to be made");
        await StoreAsync(rig);
        Assert.Equal(["sale|5|0.4|0.2|0.4"], Ask(rig, "results.sql"));
        Assert.Equal(["sale|5|2|0.4"], Ask(rig, "dead-letters.sql"));

        rig.Rule.Fails = false;
        await rig.Store.RedriveAsync([rig.IdOf("sale", "bad1")], isDryRun: false);
        await DecidedAsync(rig, "sale");
        await StoreAsync(rig);
        Assert.Equal(["sale|5|0.4|0.4|0.2"], Ask(rig, "results.sql"));
        Assert.Equal(["sale|6|2|0.3333"], Ask(rig, "dead-letters.sql"));
    }

    // Another epoch writes under other keys.
    [Fact]
    public async Task An_outcome_that_is_there_twice_after_a_restore_counts_once()
    {
        await using OutcomeRig rig = await OutcomeRig.OpenAsync();
        await AcceptAsync(rig, "sale", 2);
        await StoreAsync(rig);
        string file = Path.Combine(rig.Root, Assert.Single(rig.Keys()));
        File.Copy(file, file.Replace("_1.jsonl.gz", "_other_1.jsonl.gz", StringComparison.Ordinal));

        Assert.Equal(4, rig.Lines().Length);
        Assert.Equal(["sale|2|100|200|200"], Ask(rig, "decision-time.sql"));
        Assert.Equal(["sale|2|1|0|0"], Ask(rig, "results.sql"));
        Assert.Equal(["sale|2|0|0"], Ask(rig, "dead-letters.sql"));
    }

    [Fact]
    public async Task A_query_reads_the_days_that_it_is_given()
    {
        await using OutcomeRig rig = await OutcomeRig.OpenAsync();
        await rig.MakeAsync("sale", 2);
        await rig.DecideAsync("sale", "ann");
        await StoreAsync(rig);
        rig.Time.Advance(TimeSpan.FromDays(2));
        await rig.DecideAsync("sale", "bob");
        await StoreAsync(rig);

        Assert.Equal(["sale|1|1|0|0"], Ask(rig, "results.sql", "2026-01-03", "2026-01-04"));
        Assert.Equal(["sale|2|1|0|0"], Ask(rig, "results.sql", "2026-01-02", "2026-01-04"));
        Assert.Empty(Ask(rig, "results.sql", "2026-01-05", "2026-01-06"));
    }

    [Fact]
    public async Task The_table_has_the_members_of_a_line_in_their_order()
    {
        await using OutcomeRig rig = await OutcomeRig.OpenAsync();
        await rig.MakeAsync("sale", 2);
        await rig.DecideAsync("sale", "ann");
        await StoreAsync(rig);
        Assert.Equal(rig.Lines()[0].EnumerateObject().Select(member => member.Name), Columns().Select(column => column.Name));
    }

    [Fact]
    public void The_partitions_that_are_projected_are_those_of_the_keys()
    {
        string table = Text("outcomes-table.sql");
        Assert.Contains("'storage.location.template' = 's3://my-events/raw_outcomes/dt=${dt}/hr=${hr}/'", table, StringComparison.Ordinal);
        Assert.Contains("LOCATION 's3://my-events/raw_outcomes/'", table, StringComparison.Ordinal);
        Assert.Contains("'projection.hr.digits' = '2'", table, StringComparison.Ordinal);
        Assert.Contains("'projection.dt.format' = 'yyyy-MM-dd'", table, StringComparison.Ordinal);
    }

    private static async Task AcceptAsync(OutcomeRig rig, string campaign, int count)
    {
        await rig.MakeAsync(campaign, count);
        await rig.Store.PauseAsync(campaign, isPaused: true);
        for (int i = 0; i < count; i++)
        {
            await rig.AcceptAsync(campaign, $"user{i}");
            rig.Time.Advance(TimeSpan.FromMilliseconds(100));
        }

        if (count > 1)
        {
            await rig.Store.PauseAsync(campaign, isPaused: false);
            await DecidedAsync(rig, campaign);
        }
    }

    // Time stands still meanwhile.
    private static Task DecidedAsync(OutcomeRig rig, string campaign) => Wait.UntilAsync(
        () => rig.Store.FindCampaign(campaign)!.Counts.Open == 0, TimeSpan.FromSeconds(30), $"{campaign} to be decided");

    private static async Task StoreAsync(OutcomeRig rig) => Assert.True(await rig.Writer.TryWriteAllAsync(CancellationToken.None));

    // The table as Athena's: its columns with its types, and its partitions as texts.
    private static string[] Ask(OutcomeRig rig, string query, string from = "2026-01-01", string to = "2026-12-31")
    {
        using var connection = new DuckDBConnection("DataSource=:memory:");
        connection.Open();
        using DuckDBCommand command = connection.CreateCommand();
        string columns = string.Join(", ", Columns().Select(column => $"{column.Name}: '{column.Type}'"));
        command.CommandText = $"CREATE VIEW estat_outcomes AS SELECT * FROM read_json('{rig.Root}/raw_outcomes/*/*/*.jsonl.gz', "
            + $"format = 'newline_delimited', columns = {{{columns}}}, hive_partitioning = true, hive_types = {{dt: VARCHAR, hr: VARCHAR}})";
        command.ExecuteNonQuery();
        command.CommandText = Text(query);
        command.Parameters.Add(new DuckDBParameter(from));
        command.Parameters.Add(new DuckDBParameter(to));
        using DuckDBDataReader rows = command.ExecuteReader();
        var found = new List<string>();
        while (rows.Read())
        {
            found.Add(string.Join('|', Enumerable.Range(0, rows.FieldCount)
                .Select(field => Convert.ToString(rows.GetValue(field), CultureInfo.InvariantCulture))));
        }

        return [.. found];
    }

    private static IEnumerable<(string Name, string Type)> Columns() => Column().Matches(Text("outcomes-table.sql"))
        .Select(column => (column.Groups[1].Value, column.Groups[2].Value switch { "string" => "VARCHAR", "int" => "INTEGER", _ => "BIGINT" }));

    private static string Text(string file) => File.ReadAllText(Path.Combine(Repository.Root, Folder, file));

    [GeneratedRegex(@"^  (\w+) (string|int|bigint),?$", RegexOptions.Multiline)]
    private static partial Regex Column();
}
