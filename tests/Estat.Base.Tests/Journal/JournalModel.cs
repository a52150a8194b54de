// One run of the journal's model: one thread, so that a seed that failed fails again in the same way.
using System.Globalization;
using System.Text;
using Estat.Base.Journal;
using Estat.Testing.PowerCuts;

namespace Estat.Base.Tests.Journal;

/// <summary>
/// Blocks are written, read, and deleted with their segments, over several starts, and the power goes off, or the process is killed, in the middle of
/// any of it. What docs/decisions/0009-journal.md promises is kept as what was told, and compared with what each start and the last one read.
/// </summary>
internal sealed class JournalModel(int seed)
{
    private const int SegmentBytes = 900;

    // A sync that fails and a tail that cannot be cut off: what nobody was told of stays in the kernel's cache, and is read by the next start.
    private static readonly DiskFaults Stubborn = new() { Sync = 0.3, Metadata = 0.3 };

    private readonly Random _random = new(seed);
    private readonly List<Appended> _appended = []; // in order
    private readonly Dictionary<long, string[]> _read = []; // what readers saw, by position
    private PowerSwitch _power = new(long.MaxValue);
    private long _deletedBefore; // what a caller was allowed to delete
    private int _number;

    private enum Told
    {
        Nothing, // the power went off
        Durable,
        Perhaps,
        CertainlyNot,
    }

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">A promise was broken; the message says which.</exception>
    internal void Run()
    {
        PowerCutFiles? disk = null;
        for (int starts = _random.Next(2, 7); starts > 0; starts--)
        {
            bool isLast = starts == 1;
            _power = new PowerSwitch(isLast ? long.MaxValue : (long)Math.Exp(_random.NextDouble() * Math.Log(200)));
            DiskFaults faults = isLast ? DiskFaults.None : _random.Next(4) > 0 ? DiskFaults.Draw(_random) : Stubborn;
            disk = disk is null ? new PowerCutFiles(_power, _random, faults, dawdles: false)
                : _random.Next(3) == 0 ? disk.Successor(_power, faults)
                : disk.Survivors(_power, faults);
            try
            {
                Live(disk, isLast);
            }
            catch (JournalDamagedException error)
            {
                throw new InvalidOperationException($"nothing was damaged, and the journal says so: {error.Message}", error);
            }
            catch (IOException) when (!isLast)
            {
                // The cut, or a start that failed.
            }

            _power.CutNow();
        }
    }

    private void Live(PowerCutFiles disk, bool isLast)
    {
        using var journal = new JournalSegments(disk, SegmentBytes);
        if (isLast || _random.Next(3) > 0)
        {
            ReadAll(journal, isLast);
        }

        for (int steps = isLast ? 0 : _random.Next(0, 24); steps > 0; steps--)
        {
            switch (_random.Next(9))
            {
                case 0 or 1:
                    Delete(journal);
                    break;
                case 2:
                    ReadAll(journal, mustBeWhole: false);
                    break;
                default:
                    Append(journal);
                    break;
            }
        }
    }

    private void Append(JournalSegments journal)
    {
        var block = new Appended([.. Enumerable.Range(0, _random.Next(1, 4)).Select(_ => Record())]);
        _appended.Add(block);
        byte[] content =
            [.. block.Records.SelectMany(record => (byte[])[.. BitConverter.GetBytes(record.Length), .. Encoding.ASCII.GetBytes(record)])];
        try
        {
            block.Position = journal.Write(content, block.Records.Length);
            block.Told = Told.Durable;
        }
        catch (JournalFailedException error) when (error.InnerException is not PowerCutException)
        {
            block.Told = error.IsCertainlyNotThere ? Told.CertainlyNot : Told.Perhaps;
        }
    }

    private string Record() =>
        string.Create(CultureInfo.InvariantCulture, $"{_number++}:") + new string((char)('a' + _random.Next(26)), _random.Next(200));

    private void Delete(JournalSegments journal)
    {
        Appended[] durable = [.. _appended.Where(block => block.Told == Told.Durable && block.Position >= journal.Start)];
        if (durable.Length > 0)
        {
            long position = _random.Next(4) == 0 ? journal.End : durable[_random.Next(durable.Length)].Position;
            _deletedBefore = Math.Max(_deletedBefore, position);
            try
            {
                journal.DeleteBefore(position);
            }
            catch (IOException error) when (error is not PowerCutException)
            {
                // A caller tries again some time.
            }

            Check(journal.Start <= position, $"segments were deleted up to {journal.Start}, though only what lies before {position} might be");
        }
    }

    // Some reads fail as the disk does; what was read until then counts.
    private void ReadAll(JournalSegments journal, bool mustBeWhole)
    {
        long start = journal.Start;
        Check(start <= _deletedBefore, $"the journal begins at {start}, and nobody deleted anything beyond {_deletedBefore}");
        using JournalCursor cursor = journal.Read(start);
        List<(long Position, string[] Records)> found = [];
        try
        {
            while (cursor.TryRead(out JournalBlock block))
            {
                found.Add((block.Position, [.. block.Records().Select(record => Encoding.ASCII.GetString(record.Span))]));
            }
        }
        catch (IOException error) when (error is not JournalDamagedException && !mustBeWhole)
        {
            Compare(start, cursor.Position, found);
            throw;
        }

        Check(cursor.Position == journal.End, $"reading ended at {cursor.Position}, the journal at {journal.End}");
        Compare(start, journal.End, found);
        long last = _appended.Where(block => block.Told == Told.Durable).Select(block => block.Position).Concat(_read.Keys).DefaultIfEmpty(-1).Max();
        Check(journal.End > last, $"the journal ends at {journal.End}, and there was a block at {last}");
        Seek(journal, found);
    }

    private void Compare(long start, long end, List<(long Position, string[] Records)> found)
    {
        int at = 0;
        foreach ((long position, string[] records) in found)
        {
            int next = _appended.FindIndex(at, block => block.Records.SequenceEqual(records));
            Check(next >= 0, $"at {position} there is a block that nobody appended, or out of order: {string.Join(' ', records)}");
            Appended block = _appended[next];
            at = next + 1;
            Check(block.Told != Told.CertainlyNot, $"at {position} there is a block of which it was said that it certainly is not there");
            Check(block.Told != Told.Durable || block.Position == position, $"a block is at {position}, and was told that it is at {block.Position}");
            if (!_read.TryAdd(position, records))
            {
                Check(_read[position].SequenceEqual(records), $"another block is at {position} than before");
            }
        }

        var positions = found.Select(block => block.Position).ToHashSet();
        foreach (Appended block in _appended.Where(block => block.Told == Told.Durable && block.Position >= start && block.Position < end))
        {
            Check(positions.Contains(block.Position), $"the durable block at {block.Position} is gone");
        }

        foreach (long position in _read.Keys.Where(position => position >= start && position < end))
        {
            Check(positions.Contains(position), $"the block at {position} was read once, and is gone");
        }
    }

    private void Seek(JournalSegments journal, List<(long Position, string[] Records)> found)
    {
        if (found.Count == 0)
        {
            return;
        }

        (long position, string[] records) = found[_random.Next(found.Count)];
        using JournalCursor cursor = journal.Read(position);
        Check(
            cursor.TryRead(out JournalBlock block)
                && block.Records().Select(record => Encoding.ASCII.GetString(record.Span)).SequenceEqual(records),
            $"another block is found at {position} than was read there");
    }

    private static void Check(bool holds, string otherwise)
    {
        if (!holds)
        {
            throw new InvalidOperationException(otherwise);
        }
    }

    private sealed class Appended(string[] records)
    {
        internal string[] Records { get; } = records;

        internal long Position { get; set; } = -1;

        internal Told Told { get; set; }
    }
}
