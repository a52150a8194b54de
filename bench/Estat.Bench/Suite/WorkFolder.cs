// Where the suite writes: on a disk.
namespace Estat.Bench.Suite;

/// <summary>
/// A folder under TMPDIR or /var/tmp, and not /tmp, which is a tmpfs on many machines: a sync there costs nothing. What servers and Ceph make for
/// themselves goes there, too. Gone at dispose.
/// </summary>
internal sealed class WorkFolder : IDisposable
{
    private const string Variable = "TMPDIR";

    internal WorkFolder()
    {
        Environment.SetEnvironmentVariable(Variable, Environment.GetEnvironmentVariable(Variable) ?? "/var/tmp");
        Path = Directory.CreateTempSubdirectory("estat-bench-").FullName;
    }

    internal string Path { get; }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
