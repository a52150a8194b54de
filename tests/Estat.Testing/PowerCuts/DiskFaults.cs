// How a disk fails, apart from power cuts.
namespace Estat.Testing.PowerCuts;

/// <summary>Probabilities, per operation.</summary>
internal sealed record DiskFaults
{
    /// <summary>A disk that does what it is told.</summary>
    internal static DiskFaults None { get; } = new();

    /// <summary>ENOSPC, with a part written.</summary>
    internal double NoSpace { get; init; }

    /// <summary>EIO, with a part written.</summary>
    internal double Write { get; init; }

    /// <summary>EIO, after which later syncs succeed, though what this one should have synced is gone: Linux reports a failed write-back
    /// once.</summary>
    internal double Sync { get; init; }

    /// <summary>EIO of a read.</summary>
    internal double Read { get; init; }

    /// <summary>EIO of whatever changes names or lengths.</summary>
    internal double Metadata { get; init; }

    /// <summary>Half of the disks have no faults; the others have some of them, seldom or often.</summary>
    internal static DiskFaults Draw(Random random)
    {
        double[] rates = [0, 0, 0.01, 0.05, 0.2];
        double Rate() => rates[random.Next(rates.Length)];
        return random.Next(2) == 0 ? None : new DiskFaults { NoSpace = Rate(), Write = Rate(), Sync = Rate(), Read = Rate() / 4, Metadata = Rate() };
    }
}
