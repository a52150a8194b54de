// What a 2xx means.
namespace Estat.Core.Ingest;

/// <summary>How safe an acknowledged event is; each level includes those before it.</summary>
public enum AckLevel
{
    /// <summary>In a bounded buffer: survives a drain and a storage outage, not a kill.</summary>
    Memory,

    /// <summary>In the spool, flushed to the device: survives a kill and a power cut.</summary>
    Disk,

    /// <summary>In the store: survives the loss of the node.</summary>
    Stored,
}

/// <summary>Levels as options, headers and people write them.</summary>
public static class AckLevels
{
    /// <summary>Every level that a node by itself can offer, weakest first. A cluster adds <c>replica</c>.</summary>
    public static IReadOnlyList<AckLevel> All { get; } = [AckLevel.Memory, AckLevel.Disk, AckLevel.Stored];

    /// <summary>The level's name.</summary>
    public static string ToText(this AckLevel level) => level switch
    {
        AckLevel.Memory => "memory",
        AckLevel.Disk => "disk",
        _ => "stored",
    };

    /// <summary>The level of that name; null for any other text. Case does not matter.</summary>
    public static AckLevel? Parse(ReadOnlySpan<char> text)
    {
        text = text.Trim();
        return text.Equals("memory", StringComparison.OrdinalIgnoreCase) ? AckLevel.Memory
            : text.Equals("disk", StringComparison.OrdinalIgnoreCase) ? AckLevel.Disk
            : text.Equals("stored", StringComparison.OrdinalIgnoreCase) ? AckLevel.Stored
            : null;
    }
}
