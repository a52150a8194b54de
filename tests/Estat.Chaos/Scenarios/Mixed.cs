// Everything at once: trouble of every kind, each partition at its own pace.

namespace Estat.Chaos.Scenarios;

internal sealed class Mixed : Scenario
{
    internal override string Name => "mixed";

    internal override string Summary => "process, S3, disk and clock each have troubles of their own at the same time, composed at random";

    internal override Target Target => Target.Several;

    internal override void Prepare(Round round, Random random)
    {
        // What the disk or the clock needs has to be there before the server starts; not in every round, as it costs time.
        foreach (var scenario in PartsOf(round).Where(part => part.Target is Target.Disk or Target.Clock))
        {
            if (random.Next(2) == 0)
            {
                scenario.Prepare(round, random);
            }
        }
    }

    internal override Task InjectAsync(Round round, Random random) => Task.CompletedTask;

    internal override Task RunAsync(Round round) => Task.WhenAll(
        PartsOf(round)
            .Where(part => (part.Target != Target.Disk || round.Disk is not null) && (part.Target != Target.Clock || round.Clock is not null))
            .GroupBy(part => part.Target)
            .Select((partition, index) => RunPartitionAsync(round, [.. partition], round.Plan.RandomFor(2 + index))));

    // Losing the disk is none of them: it would excuse nearly every loss.
    private static IEnumerable<Scenario> PartsOf(Round round) => Catalog.Single.Where(part =>
        part.Target != Target.Several && part.Missing(round.OfferedLevels) is null);

    private static async Task RunPartitionAsync(Round round, Scenario[] parts, Random random)
    {
        do
        {
            await Round.ForAsync(random, 50, 400);
            await parts[random.Next(parts.Length)].InjectAsync(round, random);
        }
        while (!round.TimeIsOver);
    }
}
