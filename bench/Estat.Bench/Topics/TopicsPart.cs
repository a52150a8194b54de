// Topics: what is produced, stored, seen and asked for a second, each beside what limits it.
using System.Globalization;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;
using Estat.Testing;

namespace Estat.Bench.Topics;

/// <summary>Needs a PostgreSQL on this machine, fsync on.</summary>
internal sealed class TopicsPart : ISuitePart
{
    public string Name => "topics";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        if (!PostgresServer.Available(out string reason))
        {
            return [Section.Skipped(Name, "Topics", reason)];
        }

        List<Section> sections = [await ProduceTurns.RunAsync(Name, context)];
        await using PostgresServer server = await PostgresServer.StartAsync("max_wal_size=4GB", "shared_buffers=256MB");
        sections.AddRange(await SinkTurns.RunAsync(Name, server, context));
        sections.Add(await VisibleTurns.RunAsync(Name, server, context));
        sections.Add(await QueryTurns.RunAsync(Name, server, context));
        return sections;
    }

    /// <summary>The sink makes the tables when it begins.</summary>
    internal static Task UntilTablesAsync(EstatNode node) => Wait.UntilAsync(
        async () => await node.SumAsync("estat_topics_sink_state{state=\"running\"}") == 1, TimeSpan.FromMinutes(1), "the tables to be made");

    /// <summary>A ratio with what it should be.</summary>
    internal static string Ratio(double one, double other, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{one / other:0.00} {what}");
}
