// The ack levels by the names that requests and answers carry.

using System.Text;

namespace Estat.Testing;

/// <summary>What <c>X-Estat-Ack</c> may say.</summary>
public static class AckNames
{
    /// <summary>In a bounded buffer: a process that dies without warning takes it along.</summary>
    public const string Memory = "memory";

    /// <summary>In the spool: survives the process.</summary>
    public const string Disk = "disk";

    /// <summary>In the spools of two silos: survives one of them with its disk. A cluster's only.</summary>
    public const string Replica = "replica";

    /// <summary>In S3: survives the node's disk.</summary>
    public const string Stored = "stored";

    /// <summary>An answer without the header.</summary>
    public const string Unstated = "unstated";

    /// <summary>The header's name.</summary>
    public const string Header = "X-Estat-Ack";

    /// <summary>From the weakest to the strongest.</summary>
    public static IReadOnlyList<string> All { get; } = [Memory, Disk, Replica, Stored];

    /// <summary>Those that one node can offer by itself.</summary>
    public static IReadOnlyList<string> OfOneNode { get; } = [Memory, Disk, Stored];

    /// <summary>Whether an answer at the level <paramref name="reached"/> gives what was asked for.</summary>
    public static bool IsAtLeast(string reached, string asked) => Rank(reached) >= Rank(asked);

    /// <summary>The level of a header's value, without a new string for the known ones.</summary>
    internal static string Of(ReadOnlySpan<byte> value)
    {
        foreach (var level in All)
        {
            if (Ascii.EqualsIgnoreCase(value, level))
            {
                return level;
            }
        }

        return value.IsEmpty ? Unstated : Encoding.ASCII.GetString(value);
    }

    // What is not known is below all that is.
    private static int Rank(string level) => level switch { Memory => 0, Disk => 1, Replica => 2, Stored => 3, _ => -1 };
}
