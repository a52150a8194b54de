// The disk of the spool and of the DLQ takes no more, while storage is there or not, and then has room again.

using Estat.Testing;

namespace Estat.Chaos.Scenarios;

internal sealed class DiskFull : Scenario
{
    private const int DiskBytes = 8 * 1024 * 1024;

    internal override string Name => "disk-full";

    internal override string Summary =>
        "a ballast file fills the disk of the spool and the DLQ (ext4 on a loop device, else a tmpfs); sometimes S3 is away too, or SIGKILL comes";

    internal override Target Target => Target.Disk;

    internal override string? Missing(IReadOnlyList<string> offeredLevels) => SmallDisk.Available(out var reason) ? null : reason;

    internal override void Prepare(Round round, Random random)
    {
        var disk = round.Own(NewDisk());
        round.Disk = disk;
        round.Options["DLQ_DIR"] = Path.Combine(disk.Path, "dlq");
        round.Options["SPOOL_DIR"] = Path.Combine(disk.Path, "spool");
        // Most often the disk runs really full, and the server learns it from a write.
        round.Options["DISK_MIN_FREE_BYTES"] = random.Next(3) == 0 ? "262144" : "0";
    }

    internal override async Task InjectAsync(Round round, Random random)
    {
        // In a mixed round storage and process have troubles of their own.
        var alone = round.Plan.Scenario == this;
        var storageToo = alone && random.Next(2) == 0;
        var killToo = alone && random.Next(3) == 0;
        var disk = round.Disk!;
        round.Node.MayFailToStart = round.DiskFailed = true;
        var ballast = disk.Fill(leave: random.Next(2) == 0 ? 0 : random.Next(100_000));
        try
        {
            if (storageToo)
            {
                round.Proxy.Fault = Fault.Refuse;
            }

            await Round.ForAsync(random, 200, 1_200);
            if (killToo)
            {
                await round.Node.KillAsync();
            }
        }
        finally
        {
            File.Delete(ballast);
            if (storageToo)
            {
                round.Proxy.Fault = Fault.None;
            }

            round.Node.MayFailToStart = false;
        }

        if (killToo)
        {
            await round.Node.StartAsync();
        }
    }

    private static SmallDisk NewDisk()
    {
        try
        {
            return SmallDisk.Ext4(DiskBytes);
        }
        catch (IOException)
        {
            return new SmallDisk(DiskBytes);
        }
    }
}
