// The process dies without warning, anywhere in what it does.

namespace Estat.Chaos.Scenarios;

internal sealed class Kill : Scenario
{
    internal override string Name => "kill";

    internal override string Summary => "SIGKILL at random moments, also while starting; restart over the same folders";

    internal override Target Target => Target.Process;

    // Longer at peace than the others: between two deaths there shall be answers to remember, at the slowest level too.
    protected override int LongestPeaceMs => 800;

    internal override async Task InjectAsync(Round round, Random random)
    {
        await round.Node.KillAsync();
        while (random.Next(4) == 0)
        {
            await round.Node.StartAndKillAsync(TimeSpan.FromMilliseconds(random.Next(50, 500)));
        }

        await round.Node.StartAsync();
    }
}
