// The node is lost with its disk. Only what was acknowledged as stored is owed; that, all of it.

using Estat.Testing;

namespace Estat.Chaos.Scenarios;

internal sealed class DiskLost : Scenario
{
    internal override string Name => "disk-lost";

    internal override string Summary => "SIGKILL, often while uploads fail, and the folders of spool and DLQ are gone; only 'stored' is owed then";

    internal override Target Target => Target.Several;

    internal override bool Concerns(string level) => level is AckNames.Stored or Levels.Mixed;

    internal override string? Missing(IReadOnlyList<string> offeredLevels) =>
        offeredLevels.Contains(AckNames.Stored) ? null : "the server offers no ack level 'stored', and no other survives the loss of a disk";

    protected override int LongestPeaceMs => 800;

    internal override async Task InjectAsync(Round round, Random random)
    {
        try
        {
            // An answer that claims what has not been done yet is told from one that does not as long as it cannot be done.
            if (random.Next(3) > 0)
            {
                await round.FaultUntilStruckAsync(StorageAwayAndKill.Next(random), times: random.Next(1, 3));
                await Round.ForAsync(random, 0, 300);
            }

            await round.Node.KillAsync();
            round.DiskWasLost = true;
            foreach (var folder in new[] { round.DlqFolder, round.SpoolFolder }.Where(Directory.Exists))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
        finally
        {
            round.Proxy.Fault = Fault.None;
        }

        await round.Node.StartAsync();
    }
}
