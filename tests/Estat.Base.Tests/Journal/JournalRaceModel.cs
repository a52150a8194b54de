// One run of the journal with its threads: several append at once, one reads, and the power goes off.
using System.Globalization;
using System.Text;
using Estat.Base.Journal;
using Estat.Testing.PowerCuts;

namespace Estat.Base.Tests.Journal;

/// <summary>
/// Each appender waits for one append before its next, so what it appends has an order. Checked at the end: all that was told to be durable is there,
/// at its position, once, in each appender's order; and whatever the reader saw.
/// </summary>
internal sealed class JournalRaceModel(int seed)
{
    private const int Appenders = 4;
    private const int SegmentBytes = 4_000;

    private readonly Random _random = new(seed);
    private readonly List<(JournalPosition Position, string Record)> _durable = [];
    private readonly List<(JournalPosition Position, string Record)> _seen = [];
    private int _number;

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">A promise was broken; the message says which.</exception>
    internal async Task RunAsync()
    {
        PowerCutFiles? disk = null;
        for (int start = 0; start < 2; start++)
        {
            var power = new PowerSwitch((long)Math.Exp(_random.NextDouble() * Math.Log(400)));
            DiskFaults faults = DiskFaults.Draw(_random);
            disk = disk is null ? new PowerCutFiles(power, _random, faults, dawdles: true)
                : _random.Next(2) == 0 ? disk.Successor(power, faults) : disk.Survivors(power, faults);
            await LiveAsync(disk, power, _random.Next());
            power.CutNow();
        }

        var always = new PowerSwitch(long.MaxValue);
        await using var last = new SegmentedJournal(disk!.Survivors(always, DiskFaults.None), SegmentBytes, long.MaxValue);
        List<(JournalPosition Position, string Record)> found = [];
        using JournalCursor cursor = last.Read(last.Start);
        ReadAll(cursor, found);
        string[] wrong = [.. Missing("told to be durable", _durable, found), .. Missing("seen by a reader", _seen, found), .. Disordered(found)];
        if (wrong.Length > 0)
        {
            throw new InvalidOperationException(string.Join('\n', wrong.Take(10)));
        }
    }

    private static IEnumerable<string> Missing(
        string why, List<(JournalPosition Position, string Record)> known, List<(JournalPosition Position, string Record)> found)
    {
        var there = found.ToDictionary(each => each.Position, each => each.Record);
        return known.Where(each => there.GetValueOrDefault(each.Position) != each.Record)
            .Select(each => $"{each.Record}, {why}, is not at {each.Position}");
    }

    // "appender:number:…", with numbers that grow.
    private static IEnumerable<string> Disordered(List<(JournalPosition Position, string Record)> found) =>
        found.Select(each => each.Record.Split(':')).GroupBy(words => words[0])
            .Where(appender => appender.Zip(appender.Skip(1)).Any(
                pair => int.Parse(pair.First[1], CultureInfo.InvariantCulture) >= int.Parse(pair.Second[1], CultureInfo.InvariantCulture)))
            .Select(appender => $"records of appender {appender.Key} are out of order or doubled");

    private static void ReadAll(JournalCursor cursor, List<(JournalPosition Position, string Record)> found)
    {
        while (cursor.TryRead(out JournalBlock block))
        {
            int index = 0;
            foreach (ReadOnlyMemory<byte> record in block.Records())
            {
                found.Add((new JournalPosition(block.Position, index++), Encoding.ASCII.GetString(record.Span)));
            }
        }
    }

    private async Task LiveAsync(PowerCutFiles disk, PowerSwitch power, int lifeSeed)
    {
        SegmentedJournal journal;
        try
        {
            journal = new SegmentedJournal(disk, SegmentBytes, long.MaxValue);
        }
        catch (IOException error) when (error is not JournalDamagedException)
        {
            return;
        }

        await using (journal)
        {
            using var reading = new CancellationTokenSource();
            Task reader = Task.Run(() => ReadOnAsync(journal, reading.Token), CancellationToken.None);
            await Task.WhenAll(Enumerable.Range(0, Appenders).Select(
                number => Task.Run(() => AppendAsync(journal, power, number, new Random(lifeSeed + number)), CancellationToken.None)));
            await reading.CancelAsync();
            await reader;
        }
    }

    private async Task AppendAsync(SegmentedJournal journal, PowerSwitch power, int appender, Random random)
    {
        for (int left = 60; left > 0 && !power.IsOff; left--)
        {
            string record = string.Create(
                CultureInfo.InvariantCulture, $"{appender}:{Interlocked.Increment(ref _number)}:{new string('x', random.Next(100))}");
            if (!journal.TryAppend(Encoding.ASCII.GetBytes(record), out ValueTask<JournalPosition> appended))
            {
                throw new InvalidOperationException("the journal took nothing, and nothing bounds it");
            }

            try
            {
                JournalPosition position = await appended;
                lock (power.Gate)
                {
                    if (!power.IsOff)
                    {
                        _durable.Add((position, record));
                    }
                }
            }
            catch (JournalFailedException)
            {
                // A fault of the disk, or the cut.
            }
        }
    }

    private async Task ReadOnAsync(SegmentedJournal journal, CancellationToken cancellationToken)
    {
        List<(JournalPosition Position, string Record)> found = [];
        using JournalCursor cursor = journal.Read(journal.Start);
        try
        {
            while (true)
            {
                ReadAll(cursor, found);
                await journal.WaitBeyondAsync(cursor.Position, cancellationToken);
            }
        }
        catch (OperationCanceledException)
        {
        }
        catch (IOException error) when (error is not JournalDamagedException)
        {
            // A fault of the disk, or the cut.
        }

        lock (_seen)
        {
            _seen.AddRange(found);
        }
    }
}
