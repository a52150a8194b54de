// A silo that the others have declared dead ends by itself: what membership has said stays said.
using System.Globalization;

namespace Estat.Cluster.Tests.Stopping;

public sealed class DeclaredDeadTests : IDisposable
{
    private const string Program = "Estat.Silo";
    private const int SigStop = 19;
    private const int SigCont = 18;
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(120);
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task A_silo_that_was_declared_dead_ends_within_SHUTDOWN_TIMEOUT_though_its_disk_hangs()
    {
        Assert.SkipWhen(HangingCalls.Missing is not null, HangingCalls.Missing ?? "");
        string seedAddress = Address();
        await using ServerProcess seed = Start("seed", seedAddress, seedAddress);
        await seed.UntilReadyAsync(ReadyLimit);
        await using ServerProcess lost = Start("lost", Address(), seedAddress);
        await lost.UntilReadyAsync(ReadyLimit);
        await Wait.UntilAsync(() => Says(seed, "is there, zone"), ReadyLimit, "the first silo to know the other one");
        await using var disk = new DiskHang();
        await disk.BeginAsync(lost);

        lost.Signal(SigStop);
        await Wait.UntilAsync(() => Says(seed, "\"Left\""), ReadyLimit, "the silo to be declared dead", () => string.Join('\n', seed.Output));
        lost.Signal(SigCont);

        await Wait.UntilAsync(() => lost.HasExited, ReadyLimit, "the silo to end", () => string.Join('\n', lost.Output));
        Assert.Equal(1, await lost.WaitForExitAsync(ReadyLimit));
        Assert.True(Says(lost, "\"DeclaredDead\"") && Says(lost, "did not end within SHUTDOWN_TIMEOUT"), string.Join('\n', lost.Output));
    }

    public void Dispose() => _folder.Dispose();

    private ServerProcess Start(string name, string address, string seed) => ServerProcess.LaunchProject(
        Program, name, new Dictionary<string, string>
        {
            ["CLUSTER_ID"] = Path.GetFileName(_folder.Path),
            ["STORAGE_DIR"] = _folder["data"],
            ["SPOOL_VOLATILE"] = "true",
            ["SHUTDOWN_TIMEOUT"] = Estat.Testing.Stopping.ShutdownTimeout,
            ["MEMBERSHIP_PROBE"] = "500ms",
            ["SEED_ADDR"] = seed,
            ["ROLE"] = "both",
            ["SILO_ADDR"] = address,
            ["SILO_CLIENT_ADDR"] = Address(),
            ["SPOOL_DIR"] = _folder[name + "/spool"],
            ["DLQ_DIR"] = _folder[name + "/dlq"],
        });

    private static bool Says(ServerProcess process, string text) => process.Output.Any(line => line.Contains(text, StringComparison.Ordinal));

    private static string Address() => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}");
}
