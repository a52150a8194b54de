// One message a request, synced, beside one event a request, synced.
using Estat.Bench.Load;
using Estat.Bench.Measuring;
using Estat.Bench.Nodes;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;

namespace Estat.Bench.Topics;

/// <summary>Without a sink: what it stores meanwhile is measured apart.</summary>
internal static class ProduceTurns
{
    private const int Connections = 64;

    internal static async Task<Section> RunAsync(string part, SuiteContext context)
    {
        await using var nodes = new NodeSet();
        context.Say($"{part}: starting");
        EstatNode collect = nodes.Add(await EstatNode.StandaloneAsync(context.FolderOf("topics-collect"), ("HTTP_FAST_DOOR", "false")));
        RequestFile activities = TopicBodies.Activities(context.Folder);
        RequestFile lists = TopicBodies.Lists(context.Folder, 100);
        List<Contender> contenders = [Contender.Of("POST /collect at disk", collect, new Wrk(context.PageViews, Connections), context.Options.Turn)];
        foreach (int partitions in (int[])[1, 12, 64])
        {
            EstatNode node = nodes.Add(await NodeAsync(context, partitions));
            contenders.Add(Contender.Of($"produce, {partitions} partitions", node, new Wrk(activities, Connections), context.Options.Turn));
            if (partitions == 12)
            {
                contenders.Add(Contender.Of("produce, 100 messages a request", node, new Wrk(lists, 8), context.Options.Turn));
            }
        }

        IReadOnlyList<Row> rows = await Contender.CompareAsync(part, contenders, context.Options.Rounds, context);
        double floor = rows[0].Medians[Metric.EventsPerSecond];
        return new Section(
            part, $"Topics: messages produced, {Connections} connections", ServerColumns.WithoutFloor, rows,
            [.. rows.Skip(1).Where(row => row.Name.EndsWith("partitions", StringComparison.Ordinal)).Select(row => TopicsPart.Ratio(
                row.Medians[Metric.EventsPerSecond], floor, $"{row.Name} to POST /collect at disk: at least 0.7"))]);
    }

    private static Task<EstatNode> NodeAsync(SuiteContext context, int partitions) => EstatNode.StandaloneAsync(
        context.FolderOf($"topics-{partitions}"), ("SERVE", "topics"), ("TOPICS_SINK", "false"),
        ("TOPICS_DIR", context.FolderOf($"topics-log-{partitions}")),
        ("TOPICS_PARTITIONS", partitions.ToString(System.Globalization.CultureInfo.InvariantCulture)));
}
