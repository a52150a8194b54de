// Counts events straight from the objects.
using System.Globalization;
using Estat.Base.Storage;
using Estat.Lake.Lines;
using Estat.Lake.Reading;

namespace Estat.Lake.Querying;

/// <summary>How long a row of counts by time is.</summary>
internal enum TimeStep
{
    Minute = 60,
    Hour = 3600,
    Day = 86400,
}

/// <summary>What is asked.</summary>
internal sealed record QuerySettings
{
    internal required IObjectCatalog Store { get; init; }

    internal required KeyRange Range { get; init; }

    internal required EventFilter Filter { get; init; }

    /// <summary>Counts by time; null: none.</summary>
    internal TimeStep? By { get; init; }

    /// <summary>The values that are counted; null: none.</summary>
    internal FieldPath? Top { get; init; }

    /// <summary>Fields that are given out of each event; empty: none.</summary>
    internal IReadOnlyList<FieldPath> Fields { get; init; } = [];

    /// <summary>Distinct values that are counted exactly.</summary>
    internal int Distinct { get; init; } = 100_000;

    /// <summary>Objects at once.</summary>
    internal int Parallel { get; init; } = 4;
}

/// <summary>
/// One tally an object, made on the pool and added up in key order by one thread. Memory: <c>Parallel</c> objects, their tallies, <c>Distinct</c>
/// values of <see cref="LongestValue"/> characters, and one row a minute, hour or day. What cannot be read is told and counted; what could be read of
/// it counts.
/// </summary>
internal sealed class LakeQuery(QuerySettings settings)
{
    /// <summary>Values are cut here.</summary>
    internal const int LongestValue = 1024;

    private readonly ObjectReads _reads = new(settings.Store);

    /// <summary>Objects that were read.</summary>
    internal long Objects { get; private set; }

    /// <summary>Bytes as they lie there.</summary>
    internal long Bytes { get; private set; }

    /// <summary>Bytes of lines.</summary>
    internal long TextBytes { get; private set; }

    /// <summary>Events that were read.</summary>
    internal long Read { get; private set; }

    /// <summary>Of them, those that the range and the filter let through.</summary>
    internal long Matched { get; private set; }

    /// <summary>Of those, the ones without the value that is counted.</summary>
    internal long WithoutValue { get; private set; }

    /// <summary>Things that could not be read.</summary>
    internal long Broken { get; private set; }

    /// <summary>Events by the second in which their minute, hour or day begins.</summary>
    internal SortedDictionary<long, long> ByTime { get; } = [];

    /// <summary>Values.</summary>
    internal TopCounts Top { get; } = new(settings.Distinct);

    /// <summary>Runs.</summary>
    /// <param name="onBroken">Told of what cannot be read: key, line, why.</param>
    /// <param name="onRow">Given each event's fields, when fields are asked for.</param>
    /// <param name="onObject">Called after each object.</param>
    /// <param name="asked">Ends it early.</param>
    /// <returns>Whether it came to the end.</returns>
    internal Task<bool> RunAsync(
        Action<string, long, string> onBroken, Action<string?[]> onRow, Action<ObjectEntry> onObject, CancellationToken asked) =>
        LakeScan.RunAsync(settings.Store, settings.Range, settings.Parallel, async entry =>
        {
            if (FolderMarker.Is(entry))
            {
                return new Tally();
            }

            (FetchedObject? fetched, string? refusal) = await _reads.GetAsync(entry.Key, asked).ConfigureAwait(false);
            using (fetched)
            {
                return fetched is null ? Tally.Of(refusal) : Count(fetched);
            }
        }, (entry, tally) =>
        {
            Add(entry, tally, onBroken, onRow);
            onObject(entry);
            return ValueTask.CompletedTask;
        }, asked);

    private Tally Count(FetchedObject fetched)
    {
        var tally = new Tally();
        var line = new StoredLine();
        using Stream content = fetched.OpenRead();
        using var lines = new JsonLines(content, JsonLines.LooksLikeGzip(content));
        try
        {
            while (lines.Read())
            {
                if (line.Read(lines.Line) is { } fault)
                {
                    tally.OnBroken(lines.Lines, fault);
                }
                else if (settings.Range.Holds(line.Ts) && settings.Filter.Passes(lines.Line, line.Body))
                {
                    CountEvent(tally, lines.Line, line);
                }
            }
        }
        catch (InvalidDataException error)
        {
            tally.OnBroken(lines.Lines + 1, $"cannot be read from here on: {error.Message}");
        }

        tally.Read = lines.Lines;
        tally.TextBytes = lines.Bytes;
        return tally;
    }

    private void CountEvent(Tally tally, ReadOnlySpan<byte> line, StoredLine read)
    {
        tally.Matched++;
        if (settings.By is { } step)
        {
            long begin = read.Ts - (((read.Ts % (long)step) + (long)step) % (long)step);
            System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(tally.ByTime, begin, out _)++;
        }

        if (settings.Top is { } top)
        {
            if (top.ValueOf(line, read) is { } value)
            {
                value = value.Length > LongestValue ? value[..LongestValue] : value;
                System.Runtime.InteropServices.CollectionsMarshal.GetValueRefOrAddDefault(tally.Values, value, out _)++;
            }
            else
            {
                tally.WithoutValue++;
            }
        }

        if (settings.Fields.Count > 0)
        {
            string?[] row = new string?[settings.Fields.Count];
            for (int i = 0; i < row.Length; i++)
            {
                row[i] = settings.Fields[i].ValueOf(line, read);
            }

            tally.Rows.Add(row);
        }
    }

    private void Add(ObjectEntry entry, Tally tally, Action<string, long, string> onBroken, Action<string?[]> onRow)
    {
        Objects++;
        Bytes += entry.Bytes;
        TextBytes += tally.TextBytes;
        Read += tally.Read;
        Matched += tally.Matched;
        WithoutValue += tally.WithoutValue;
        Broken += tally.Broken;
        foreach ((long time, long count) in tally.ByTime)
        {
            ByTime[time] = ByTime.GetValueOrDefault(time) + count;
        }

        foreach ((string value, long count) in tally.Values)
        {
            Top.Add(value, count);
        }

        foreach ((long line, string fault) in tally.Faults)
        {
            onBroken(entry.Key, line, fault);
        }

        if (tally.Broken > tally.Faults.Count)
        {
            onBroken(entry.Key, 0, string.Create(CultureInfo.InvariantCulture, $"{tally.Broken - tally.Faults.Count} more lines are wrong"));
        }

        foreach (string?[] row in tally.Rows)
        {
            onRow(row);
        }
    }

    private sealed class Tally
    {
        private const int MostFaults = 10;

        internal long Read { get; set; }

        internal long TextBytes { get; set; }

        internal long Matched { get; set; }

        internal long WithoutValue { get; set; }

        internal long Broken { get; private set; }

        internal List<(long Line, string Fault)> Faults { get; } = [];

        internal Dictionary<long, long> ByTime { get; } = [];

        internal Dictionary<string, long> Values { get; } = new(StringComparer.Ordinal);

        internal List<string?[]> Rows { get; } = [];

        /// <summary>Of an object that is gone, or that the store does not give.</summary>
        internal static Tally Of(string? refusal)
        {
            var tally = new Tally();
            if (refusal is not null)
            {
                tally.OnBroken(0, refusal);
            }

            return tally;
        }

        internal void OnBroken(long line, string fault)
        {
            if (++Broken <= MostFaults)
            {
                Faults.Add((line, fault));
            }
        }
    }
}
