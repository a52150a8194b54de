// The process dies without warning, anywhere in what it does.

namespace Estat.Chaos.Scenarios;

internal sealed class Kill : Scenario
{
    internal override string Name => "kill";

    internal override string Summary => "SIGKILL at random moments, also while starting; restart over the same folders";

    internal override Target Target => Target.Process;

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
