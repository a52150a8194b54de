// The process dies while uploads are under way: what it gave up before S3 had it is gone, what it uploads once more is there twice.

using Estat.Testing;

namespace Estat.Chaos.Scenarios;

internal sealed class StorageAwayAndKill : Scenario
{
    internal override string Name => "s3-kill";

    internal override string Summary => "uploads are refused, swallowed, cut, or crawl, and SIGKILL comes while they are";

    internal override Target Target => Target.Several;

    protected override int LongestPeaceMs => 800;

    internal override async Task InjectAsync(Round round, Random random)
    {
        try
        {
            await round.FaultUntilStruckAsync(Next(random), times: random.Next(1, 4));
            await Round.ForAsync(random, 0, 300);
            await round.Node.KillAsync();
            if (random.Next(2) == 0)
            {
                round.Proxy.Fault = Fault.None;
            }

            await round.Node.StartAsync();
            await Round.ForAsync(random, 0, 300);
        }
        finally
        {
            round.Proxy.Fault = Fault.None;
        }
    }

    /// <summary>Something that keeps an upload from being done.</summary>
    internal static Fault Next(Random random) => random.Next(4) switch
    {
        0 => Fault.Refuse,
        1 => Fault.Hang,
        2 => Fault.CutUploadAfter(random.Next(1, 5_000)),
        _ => Fault.Slow(random.Next(2_000, 20_000)),
    };
}
