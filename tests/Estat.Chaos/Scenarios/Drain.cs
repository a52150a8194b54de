// The process is told to stop under load, and started again, as in a deployment.

namespace Estat.Chaos.Scenarios;

internal sealed class Drain : Scenario
{
    internal override string Name => "drain";

    internal override string Summary => "SIGTERM under load; restart over the same folders";

    internal override Target Target => Target.Process;

    internal override async Task InjectAsync(Round round, Random random)
    {
        await round.Node.DrainAsync(nothingTakesEvents: round.DiskFailed);
        await round.Node.StartAsync();
    }
}
