// The process stands still: what it awaits times out or comes late, and it does not know.

namespace Estat.Chaos.Scenarios;

internal sealed class Pause : Scenario
{
    internal override string Name => "pause";

    internal override string Summary => "SIGSTOP, and SIGCONT up to 1.2 s later";

    internal override Target Target => Target.Process;

    internal override Task InjectAsync(Round round, Random random) => round.Node.PauseAsync(TimeSpan.FromMilliseconds(random.Next(50, 1_200)));
}
