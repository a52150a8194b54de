// Where in the journal a partition's offset, or a time, is to be looked for.
using System.Security.Cryptography;

namespace Estat.Topics.Embedded;

/// <summary>
/// Points in the journal, at most 4 MiB or a minute apart. At each one it is known which offset each partition had reached, how late what lies before
/// it is at most, and how early what lies behind it. What is looked for is found by reading on from a point. Everything in it can be read again out
/// of the journal. Any thread.
/// </summary>
internal sealed class LogIndex
{
    private const long LeastBytesApart = 4 << 20;
    private const long LeastMillisecondsApart = 60_000;

    // Beyond these every second point goes, and points to come are further apart: 32 MB at the most.
    private const int MostPoints = 8_192;
    private const int MostReached = 2_000_000;
    private const int Version = 1;

    private readonly Lock _gate = new();
    private readonly List<Point> _points = [];
    private readonly List<List<Reached>> _partitions = [];
    private long _apart = 1; // times the least distance
    private int _reachedCount;

    /// <summary>Points in it.</summary>
    internal int Count
    {
        get
        {
            lock (_gate)
            {
                return _points.Count;
            }
        }
    }

    /// <summary>The last point's position; null without a point.</summary>
    internal long? LastPosition
    {
        get
        {
            lock (_gate)
            {
                return _points.Count == 0 ? null : _points[^1].Position;
            }
        }
    }

    /// <summary>Tells it of a block, in the order of the journal.</summary>
    /// <param name="position">Where it begins.</param>
    /// <param name="before">The time of the last record before it.</param>
    /// <param name="time">The time of its first record.</param>
    /// <param name="hasKeys">Whether it holds idempotency keys.</param>
    /// <param name="next">By ordinal, the next offset of each partition before the block.</param>
    internal void OnBlock(long position, long before, long time, bool hasKeys, ReadOnlySpan<long> next)
    {
        lock (_gate)
        {
            if (_points.Count == 0 || position - _points[^1].Position >= _apart * LeastBytesApart
                || time - _points[^1].Time >= _apart * LeastMillisecondsApart)
            {
                Thin();
                _points.Add(new Point(position, before, time, false));
                for (int ordinal = 0; ordinal < next.Length; ordinal++)
                {
                    List<Reached> reached = Of(ordinal);
                    if ((reached.Count == 0 ? 0 : reached[^1].Next) != next[ordinal])
                    {
                        reached.Add(new Reached(position, next[ordinal]));
                        _reachedCount++;
                    }
                }
            }

            if (hasKeys)
            {
                MarkKeys();
            }
        }
    }

    /// <summary>The last block that it was told of holds an idempotency key.</summary>
    internal void MarkKeys()
    {
        lock (_gate)
        {
            _points[^1] = _points[^1] with { HasKeys = true };
        }
    }

    /// <summary>Where to begin to read for an offset: at or before its message.</summary>
    /// <param name="ordinal">The partition.</param>
    /// <param name="offset">What is looked for.</param>
    /// <param name="start">Where the journal begins to be of use.</param>
    internal long PositionOf(int ordinal, long offset, long start)
    {
        lock (_gate)
        {
            // The last point at which the partition had not gone past the offset.
            int points = _points.Count;
            if (ordinal < _partitions.Count && _partitions[ordinal] is { } reached
                && LastWhere(reached.Count, i => reached[i].Next <= offset) + 1 is var beyond && beyond < reached.Count)
            {
                points = LastWhere(_points.Count, i => _points[i].Position < reached[beyond].Position) + 1;
            }

            return points == 0 ? start : Math.Max(start, _points[points - 1].Position);
        }
    }

    /// <summary>The last point all of whose earlier messages are not later than a time; null when there is none.</summary>
    internal long? PositionBefore(long time)
    {
        lock (_gate)
        {
            int index = LastWhere(_points.Count, i => _points[i].Before <= time);
            return index < 0 ? null : _points[index].Position;
        }
    }

    /// <summary>The last point at or before a position; null when there is none.</summary>
    internal long? PointAt(long position)
    {
        lock (_gate)
        {
            int index = LastWhere(_points.Count, i => _points[i].Position <= position);
            return index < 0 ? null : _points[index].Position;
        }
    }

    /// <summary>Where the first idempotency key that is not older than a time is to be looked for; null when there is none.</summary>
    internal long? FirstKeysSince(long time)
    {
        lock (_gate)
        {
            int from = Math.Max(0, LastWhere(_points.Count, i => _points[i].Time <= time));
            int index = _points.FindIndex(from, point => point.HasKeys);
            return index < 0 ? null : _points[index].Position;
        }
    }

    /// <summary>The offset that each partition had reached at a point.</summary>
    /// <param name="position">A point's position.</param>
    /// <param name="partitions">How many ordinals.</param>
    internal long[] OffsetsAt(long position, int partitions)
    {
        lock (_gate)
        {
            long[] offsets = new long[partitions];
            for (int ordinal = 0; ordinal < Math.Min(partitions, _partitions.Count); ordinal++)
            {
                List<Reached> reached = _partitions[ordinal];
                int index = LastWhere(reached.Count, i => reached[i].Position <= position);
                offsets[ordinal] = index < 0 ? 0 : reached[index].Next;
            }

            return offsets;
        }
    }

    /// <summary>Forgets the points before a position.</summary>
    /// <param name="position">A point's position; it stays.</param>
    internal void Trim(long position)
    {
        lock (_gate)
        {
            _points.RemoveAll(point => point.Position < position);
            foreach (List<Reached> reached in _partitions)
            {
                // The last one before it still says where the partition was.
                int index = LastWhere(reached.Count, i => reached[i].Position <= position);
                reached.RemoveRange(0, Math.Max(0, index));
            }

            _reachedCount = _partitions.Sum(reached => reached.Count);
        }
    }

    /// <summary>All of it as bytes, with a checksum.</summary>
    /// <param name="id">The log's id.</param>
    internal byte[] Save(string id)
    {
        Point[] points;
        Reached[][] partitions;
        lock (_gate) // for the copies alone: the journal's writer waits for it
        {
            points = [.. _points];
            partitions = [.. _partitions.Select(reached => reached.ToArray())];
        }

        using var stream = new MemoryStream();
        using (var writer = new BinaryWriter(stream, System.Text.Encoding.UTF8, leaveOpen: true))
        {
            writer.Write(Version);
            writer.Write(id);
            writer.Write(points.Length);
            foreach (Point point in points)
            {
                writer.Write(point.Position);
                writer.Write(point.Before);
                writer.Write(point.Time);
                writer.Write(point.HasKeys);
            }

            writer.Write(partitions.Length);
            foreach (Reached[] reached in partitions)
            {
                writer.Write(reached.Length);
                foreach (Reached one in reached)
                {
                    writer.Write(one.Position);
                    writer.Write(one.Next);
                }
            }
        }

        byte[] content = stream.ToArray();
        return [.. content, .. SHA256.HashData(content)];
    }

    /// <summary>Reads what <see cref="Save"/> made.</summary>
    /// <param name="bytes">All of it.</param>
    /// <param name="id">The log's id.</param>
    /// <returns>Null when it is another log's, or damaged: the journal says the same again.</returns>
    internal static LogIndex? Load(byte[] bytes, string id)
    {
        int length = bytes.Length - SHA256.HashSizeInBytes;
        if (length <= 0 || !SHA256.HashData(bytes.AsSpan(0, length)).AsSpan().SequenceEqual(bytes.AsSpan(length)))
        {
            return null;
        }

        using var reader = new BinaryReader(new MemoryStream(bytes, 0, length));
        if (reader.ReadInt32() != Version || reader.ReadString() != id)
        {
            return null;
        }

        var index = new LogIndex();
        for (int points = reader.ReadInt32(); points > 0; points--)
        {
            index._points.Add(new Point(reader.ReadInt64(), reader.ReadInt64(), reader.ReadInt64(), reader.ReadBoolean()));
        }

        int partitions = reader.ReadInt32();
        for (int ordinal = 0; ordinal < partitions; ordinal++)
        {
            List<Reached> reached = index.Of(ordinal);
            for (int count = reader.ReadInt32(); count > 0; count--)
            {
                reached.Add(new Reached(reader.ReadInt64(), reader.ReadInt64()));
                index._reachedCount++;
            }
        }

        return index;
    }

    /// <summary>Partitions that it knows.</summary>
    internal int Partitions
    {
        get
        {
            lock (_gate)
            {
                return _partitions.Count;
            }
        }
    }

    private void Thin()
    {
        if (_points.Count < MostPoints && _reachedCount < MostReached)
        {
            return;
        }

        _apart *= 2;
        List<Point> kept = [];
        for (int index = 0; index < _points.Count; index++)
        {
            if (index % 2 == 0)
            {
                kept.Add(_points[index]);
            }
            else if (_points[index].HasKeys)
            {
                kept[^1] = kept[^1] with { HasKeys = true };
            }
        }

        _points.Clear();
        _points.AddRange(kept);
        foreach (List<Reached> reached in _partitions)
        {
            // Between two points only the last one says something.
            int at = 0;
            int write = 0;
            for (int index = 0; index < reached.Count; index++)
            {
                while (at < _points.Count && _points[at].Position < reached[index].Position)
                {
                    at++;
                }

                bool isLast = index + 1 == reached.Count || (at < _points.Count && reached[index + 1].Position > _points[at].Position);
                if (isLast)
                {
                    reached[write++] = reached[index];
                }
            }

            reached.RemoveRange(write, reached.Count - write);
        }

        _reachedCount = _partitions.Sum(reached => reached.Count);
    }

    private List<Reached> Of(int ordinal)
    {
        while (_partitions.Count <= ordinal)
        {
            _partitions.Add([]);
        }

        return _partitions[ordinal];
    }

    // The last of so many for which it holds, where it holds for all before it.
    private static int LastWhere(int count, Func<int, bool> holds)
    {
        int low = -1;
        int high = count;
        while (high - low > 1)
        {
            int middle = (low + high) / 2;
            (low, high) = holds(middle) ? (middle, high) : (low, middle);
        }

        return low;
    }

    private readonly record struct Point(long Position, long Before, long Time, bool HasKeys);

    private readonly record struct Reached(long Position, long Next);
}
