// What a 2xx means.
namespace Estat.Base.Acks;

/// <summary>How safe an acknowledged event is; each level includes those before it.</summary>
public enum AckLevel
{
    /// <summary>In a bounded buffer: survives a drain and a storage outage, not a kill.</summary>
    Memory,

    /// <summary>In the spool, synced to the device: survives a kill and a power cut.</summary>
    Disk,

    /// <summary>In the spools of two silos, synced: survives the loss of one of them with its disk. Offered by a cluster only.</summary>
    Replica,

    /// <summary>In the store: survives the loss of the node.</summary>
    Stored,
}

/// <summary>Levels as options, headers and people write them.</summary>
public static class AckLevels
{
    /// <summary>Every level, weakest first; a level's number is its index.</summary>
    public static IReadOnlyList<AckLevel> All { get; } = [AckLevel.Memory, AckLevel.Disk, AckLevel.Replica, AckLevel.Stored];

    /// <summary>Every level that a node by itself can offer.</summary>
    public static IReadOnlyList<AckLevel> OfOneNode { get; } = [AckLevel.Memory, AckLevel.Disk, AckLevel.Stored];

    /// <summary>The level's name.</summary>
    public static string ToText(this AckLevel level) => level switch
    {
        AckLevel.Memory => "memory",
        AckLevel.Disk => "disk",
        AckLevel.Replica => "replica",
        _ => "stored",
    };

    /// <summary>The level of that name; null for any other text. Case does not matter.</summary>
    public static AckLevel? Parse(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        foreach (AckLevel level in All)
        {
            if (text.Equals(level.ToText(), StringComparison.OrdinalIgnoreCase))
            {
                return level;
            }
        }

        return null;
    }
}
