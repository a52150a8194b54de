// What a container allows, in the files of either version of control groups.
using Estat.Base.Threading;

namespace Estat.Base.Tests.Threading;

public sealed class CpuQuotaTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("0::/a/b", "a/b/cpu.max=25000 100000", 0.25)]
    [InlineData("0::/a/b", "a/b/cpu.max=max 100000;a/cpu.max=25000 100000;cpu.max=50000 100000", 0.25)]
    [InlineData("0::/", "cpu.max=50000 100000", 0.5)]
    [InlineData("0::/elsewhere", "cpu.max=75000 100000", 0.75)]
    [InlineData("0::/", "cpu.max=max 100000", 1)]
    [InlineData("4:cpu,cpuacct:/a", "cpu/a/cpu.cfs_quota_us=25000;cpu/a/cpu.cfs_period_us=100000", 0.25)]
    [InlineData("2:cpuset:/\n4:cpu:/elsewhere", "cpu/cpu.cfs_quota_us=10000;cpu/cpu.cfs_period_us=50000", 0.2)]
    [InlineData("4:cpu:/", "cpu/cpu.cfs_quota_us=-1;cpu/cpu.cfs_period_us=100000", 1)]
    [InlineData("4:cpu:/", "cpu/cpu.cfs_quota_us=400000;cpu/cpu.cfs_period_us=100000", 1)]
    [InlineData("0::/", "cpu.max=what is this", 1)]
    [InlineData("no such line", "", 1)]
    public void A_quota_is_read_and_without_one_the_runtime_is_right(string groups, string files, double cpus)
    {
        File.WriteAllText(_folder["cgroup"], groups);
        foreach (string file in files.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            string path = Path.Combine(_folder["mount"], file[..file.IndexOf('=', StringComparison.Ordinal)]);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, file[(file.IndexOf('=', StringComparison.Ordinal) + 1)..] + "\n");
        }

        Assert.Equal(cpus, CpuQuota.Cpus(_folder["cgroup"], _folder["mount"], counted: 1));
    }

    [Fact]
    public void Where_there_are_no_control_groups_the_runtime_is_right() =>
        Assert.Equal(3, CpuQuota.Cpus(_folder["none"], _folder["none"], counted: 3));
}
