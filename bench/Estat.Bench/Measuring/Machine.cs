// What was measured on: figures without it are worth nothing.
using System.Globalization;
using System.Runtime.InteropServices;
using Estat.Testing;

namespace Estat.Bench.Measuring;

/// <summary>The machine and the build.</summary>
/// <param name="Cores">Those that this process may use.</param>
/// <param name="Cpu">The model's name.</param>
/// <param name="Kernel">Linux' release.</param>
/// <param name="MemoryGb">RAM.</param>
/// <param name="Disk">File system and device of the folder in which servers keep their events.</param>
/// <param name="Dotnet">The runtime's version.</param>
/// <param name="Commit">What was built; with a + if files were changed since.</param>
internal sealed record Machine(int Cores, string Cpu, string Kernel, double MemoryGb, string Disk, string Dotnet, string Commit)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The machine with the disk of a folder.</summary>
    internal static async Task<Machine> ReadAsync(string folder) => new(
        Environment.ProcessorCount,
        Value("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString(),
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        Math.Round(double.Parse(Value("/proc/meminfo", "MemTotal")!.Split(' ')[0], CultureInfo.InvariantCulture) * 1024 / 1e9, 1),
        DiskOf(folder),
        RuntimeInformation.FrameworkDescription,
        await CommitAsync());

    /// <summary>Processes that wanted to run in the last minute: whether the machine is quiet.</summary>
    internal static string LoadAverage() => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Cores} cores, {Cpu}, Linux {Kernel}, {MemoryGb:0.#} GB RAM, {Disk}, {Dotnet}, Estat {Commit}");

    private static string? Value(string path, string name) => File.ReadLines(path)
        .Where(line => line.StartsWith(name, StringComparison.Ordinal))
        .Select(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim())
        .FirstOrDefault();

    // The longest mount point that the folder is under.
    private static string DiskOf(string folder) => File.ReadLines("/proc/self/mounts")
        .Select(line => line.Split(' '))
        .Where(mount => mount[1] == "/" || folder == mount[1] || folder.StartsWith(mount[1] + "/", StringComparison.Ordinal))
        .MaxBy(mount => mount[1].Length) is { } found ? $"{found[2]} on {found[0]}" : "a disk that is not known";

    private static async Task<string> CommitAsync()
    {
        CommandResult commit = await Command.RunAsync(Patience, "git", "-C", Repository.Root, "describe", "--always", "--dirty=+", "--exclude=*");
        return commit.ExitCode == 0 ? commit.Output : "of an unknown commit";
    }
}
