// Partitions of prefixes other than RAW_PREFIX: what write keys with a prefix of their own send.
using Estat.Base.Acks;
using Estat.Base.Options;
using Estat.Collect.Options;

namespace Estat.Collect.Intake;

/// <summary>
/// One partition per prefix and level, made when its first event comes and kept until the process ends: an idle one costs little, and a batch of it
/// may be open. So prefixes are bounded; the one too many is refused, never laid elsewhere. Any thread; finding a partition takes no lock.
/// </summary>
/// <param name="options">Which prefixes are allowed.</param>
/// <param name="open">Makes a partition, given its prefix, its level and its number among all that were made, from 0; called by one thread at a
/// time.</param>
internal sealed class PrefixPartitions<TPartition>(CollectOptions options, Func<string, AckLevel, int, TPartition> open)
    where TPartition : class
{
    /// <summary>Prefixes that a process may come to hold: twice as many as a file of write keys may have, so that it may be changed for another
    /// without a restart.</summary>
    internal const int MostPrefixes = 2 * KeyPrefix.Most;

    /// <summary>Partitions that there may come to be.</summary>
    internal static readonly int MostPartitions = MostPrefixes * AckLevels.All.Count;

    private readonly Lock _gate = new();
    private volatile Entry[] _entries = [];
    private int _opened;
    private bool _closed;

    /// <summary>The partitions of a prefix and level; none when nothing came for them yet.</summary>
    internal TPartition[] Find(string prefix, AckLevel level)
    {
        foreach (Entry entry in _entries)
        {
            if (ReferenceEquals(entry.Prefix, prefix) || string.Equals(entry.Prefix, prefix, StringComparison.Ordinal))
            {
                return Volatile.Read(ref entry.Partitions[(int)level]);
            }
        }

        return [];
    }

    /// <summary>Finds them, or makes them.</summary>
    /// <returns>Accepted; else why there are none, and none can be made.</returns>
    internal Admission TryOpen(string prefix, AckLevel level, out TPartition[] partitions)
    {
        partitions = Find(prefix, level);
        return partitions.Length > 0 ? Admission.Accepted : Open(prefix, level, out partitions);
    }

    /// <summary>No partition is made any more.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            _closed = true;
        }
    }

    private Admission Open(string prefix, AckLevel level, out TPartition[] partitions)
    {
        lock (_gate)
        {
            partitions = Find(prefix, level);
            if (partitions.Length > 0)
            {
                return Admission.Accepted;
            }

            if (_closed)
            {
                return Admission.Draining;
            }

            Entry? entry = Array.Find(_entries, known => known.Prefix == prefix);
            if (entry is null && (_entries.Length >= MostPrefixes || KeyPrefix.WhyNot(prefix, options.Storage.Prefixes) is not null))
            {
                return Admission.NoPrefix;
            }

            partitions = [open(prefix, level, _opened++)];
            if (entry is null)
            {
                entry = new Entry(prefix);
                entry.Partitions[(int)level] = partitions;
                _entries = [.. _entries, entry];
            }
            else
            {
                Volatile.Write(ref entry.Partitions[(int)level], partitions);
            }

            return Admission.Accepted;
        }
    }

    private sealed record Entry(string Prefix)
    {
        internal TPartition[][] Partitions { get; } = [.. AckLevels.All.Select(_ => Array.Empty<TPartition>())];
    }
}
