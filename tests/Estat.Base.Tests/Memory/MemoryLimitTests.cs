// The memory of a container, as the kernel's files say it.
using Estat.Base.Memory;

namespace Estat.Base.Tests.Memory;

public sealed class MemoryLimitTests : IDisposable
{
    private const long Machine = 8L << 30;
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("0::/a/b", "a/b/memory.max=max;a/memory.max=268435456;memory.max=536870912", 268_435_456)]
    [InlineData("0::/elsewhere", "memory.max=536870912", 536_870_912)]
    [InlineData("4:memory:/a", "memory/a/memory.limit_in_bytes=134217728", 134_217_728)]
    [InlineData("4:memory:/", "memory/memory.limit_in_bytes=9223372036854771712", Machine)]
    [InlineData("0::/", "memory.max=max", Machine)]
    [InlineData("no such line", "", Machine)]
    public void A_limit_is_read_and_without_one_it_is_the_machines_memory(string groups, string files, long bytes)
    {
        File.WriteAllText(_folder["cgroup"], groups);
        File.WriteAllText(_folder["meminfo"], $"MemTotal:       {Machine / 1024} kB\nMemFree: 1 kB\n");
        foreach (string file in files.Split(';', StringSplitOptions.RemoveEmptyEntries))
        {
            string path = Path.Combine(_folder["mount"], file[..file.IndexOf('=', StringComparison.Ordinal)]);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, file[(file.IndexOf('=', StringComparison.Ordinal) + 1)..] + "\n");
        }

        Assert.Equal(bytes, MemoryLimit.Bytes(_folder["cgroup"], _folder["mount"], _folder["meminfo"]));
    }
}
