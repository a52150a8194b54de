// The upload succeeds, nobody hears of it, and the process that could have tried again dies: the next one finds a batch that is already there.

using Estat.Testing;

namespace Estat.Chaos.Scenarios;

internal sealed class AnswerLostAndKill : Scenario
{
    internal override string Name => "answer-lost-kill";

    internal override string Summary => "S3's answers are lost, and SIGKILL comes before, between or after the attempts";

    internal override Target Target => Target.Several;

    protected override int LongestPeaceMs => 800;

    internal override async Task InjectAsync(Round round, Random random)
    {
        try
        {
            await round.FaultUntilStruckAsync(Fault.DropResponse, times: random.Next(0, 4));
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
}
