// One run of the embedded log with its threads: producers, a sink and retention at once, while the power goes off, or the process is killed.
using System.Globalization;
using System.Text;
using Estat.Base.Journal;
using Estat.Testing.PowerCuts;
using Estat.Topics.Embedded;
using Estat.Topics.Log;
using Estat.Topics.Options;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Topics.Tests.Embedded;

/// <summary>
/// What producers were told is kept, and what the sink stored: its database outlives every start. The promises 1 to 7 of docs/topics.md are checked
/// while it runs, and at the end by reading everything.
/// </summary>
internal sealed class EmbeddedLogModel(int seed)
{
    private static readonly TopicsOptions Options = new()
    {
        Partitions = 2, SegmentBytes = 3_000, Retention = TimeSpan.FromHours(1), Dedup = TimeSpan.FromMinutes(10), MinFreeBytes = 0,
    };

    private readonly Random _random = new(seed);
    private readonly ManualTimeProvider _clock = new();
    private readonly Lock _gate = new();
    private readonly List<Sent> _sent = [];
    private readonly Dictionary<TopicPartition, List<string>> _stored = []; // the database
    private readonly List<string> _wrong = [];
    private int _number;

    private enum Told
    {
        Nothing, // the power went off, or nobody knows
        Taken,
        NotTaken,
    }

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">A promise was broken; the message says which.</exception>
    internal async Task RunAsync()
    {
        PowerCutFiles? disk = null;
        for (int start = _random.Next(2, 5); start > 0; start--)
        {
            var power = new PowerSwitch((long)Math.Exp(_random.NextDouble() * Math.Log(1_500)));
            DiskFaults faults = DiskFaults.Draw(_random);
            disk = disk is null ? new PowerCutFiles(power, _random, faults, dawdles: true)
                : _random.Next(2) == 0 ? disk.Successor(power, faults) : disk.Survivors(power, faults);
            await LiveAsync(disk, power, _random.Next());
            power.CutNow();
        }

        var always = new PowerSwitch(long.MaxValue);
        disk = disk!.Survivors(always, DiskFaults.None);
        if (_random.Next(4) == 0)
        {
            disk.Delete("index"); // it can be made again
        }

        await using (EmbeddedLog last = Open(disk))
        {
            await CheckAsync(last);
        }

        if (_wrong.Count > 0)
        {
            throw new InvalidOperationException(string.Join('\n', _wrong.Take(10)));
        }
    }

    private EmbeddedLog Open(PowerCutFiles disk) => new(Options, new LogFolder(disk, null, 0), _clock, NullLogger.Instance, keeps: false);

    private async Task LiveAsync(PowerCutFiles disk, PowerSwitch power, int lifeSeed)
    {
        EmbeddedLog log;
        try
        {
            log = Open(disk);
        }
        catch (JournalDamagedException error)
        {
            Wrong($"nothing was damaged, and the start says so: {error.Message}");
            return;
        }
        catch (IOException)
        {
            return; // the cut, or a start that failed
        }

        await using (log)
        {
            using var ending = new CancellationTokenSource();
            Task sink = Task.Run(() => SinkAsync(log, ending.Token), CancellationToken.None);
            Task keeper = Task.Run(() => KeepAsync(log, new Random(lifeSeed + 100), ending.Token), CancellationToken.None);
            await Task.WhenAll(Enumerable.Range(0, 3).Select(
                number => Task.Run(() => ProduceAsync(log, power, number, new Random(lifeSeed + number)), CancellationToken.None)));
            await ending.CancelAsync();
            await sink;
            await keeper;
        }
    }

    private async Task ProduceAsync(EmbeddedLog log, PowerSwitch power, int producer, Random random)
    {
        for (int left = 25; left > 0 && !power.IsOff; left--)
        {
            Sent? again;
            lock (_gate)
            {
                // One that was told nothing may be sent again with its key, and one that was taken too.
                again = random.Next(4) == 0 ? _sent.LastOrDefault(sent => sent.Producer == producer && sent.Key is not null
                    && _clock.GetUtcNow() - sent.At < TimeSpan.FromMinutes(5)) : null;
                if (again is { Told: Told.NotTaken })
                {
                    again.Told = Told.Nothing; // the answer to the repetition may get lost
                }
            }

            Sent sent = again ?? Make(producer, random);
            if (again is null)
            {
                lock (_gate)
                {
                    _sent.Add(sent);
                }
            }

            Produced produced = await log.ProduceAsync(sent.Production, default);
            lock (power.Gate)
            {
                if (!power.IsOff)
                {
                    lock (_gate)
                    {
                        // The clock may have gone past TOPICS_DEDUP just when it was sent again: it is another one then.
                        sent.IsTwice |= again is not null && _clock.GetUtcNow() - sent.At >= Options.Dedup;
                        Note(sent, produced);
                    }
                }
            }

            if (random.Next(12) == 0)
            {
                try
                {
                    string topic = sent.Production.Topic;
                    await log.AddPartitionsAsync(topic, Math.Min(6, log.FindTopic(topic)!.Partitions.Count + 1), default);
                }
                catch (TopicLogException)
                {
                    // The disk, the cut, or there are enough.
                }
            }
        }
    }

    private Sent Make(int producer, Random random)
    {
        string topic = BuiltInTopic.All[random.Next(2)];
        NewMessage[] messages = [.. Enumerable.Range(0, random.Next(1, 5)).Select(_ =>
        {
            string value = string.Create(
                CultureInfo.InvariantCulture, $"{producer}:{Interlocked.Increment(ref _number)}:{new string('x', random.Next(80))}");
            ReadOnlyMemory<byte>? key = random.Next(5) == 0 ? (ReadOnlyMemory<byte>?)null : Encoding.ASCII.GetBytes($"key{random.Next(4)}");
            return new NewMessage(key, random.Next(2) == 0 ? [] : [new MessageHeader("a", "b"u8.ToArray())], Encoding.ASCII.GetBytes(value));
        })];
        string? idempotencyKey = random.Next(2) == 0 ? Guid.NewGuid().ToString() : null;
        return new Sent(
            producer, idempotencyKey,
            new Production(topic, messages, idempotencyKey is null ? null : new Idempotency("", idempotencyKey, new byte[32])),
            _clock.GetUtcNow());
    }

    private void Note(Sent sent, Produced produced)
    {
        switch (produced.Outcome)
        {
            case ProduceOutcome.Taken or ProduceOutcome.Repeated:
                if (sent.Told == Told.Taken && !sent.IsTwice && !sent.Positions.SequenceEqual(produced.Positions))
                {
                    Wrong($"repeated, {sent} has other positions");
                }

                if (sent.Told == Told.Taken && !sent.IsTwice && produced.Outcome == ProduceOutcome.Taken)
                {
                    Wrong($"repeated, {sent} was taken again");
                }

                (sent.Told, sent.Positions) = (Told.Taken, produced.Positions);
                break;
            case ProduceOutcome.Perhaps:
                break;
            default:
                // Said of a repetition too: it must be true of all attempts.
                sent.Told = sent.Told == Told.Taken ? Told.Taken : Told.NotTaken;
                break;
        }

    }

    // The database takes a batch as a whole, and knows where each partition goes on.
    private async Task SinkAsync(EmbeddedLog log, CancellationToken ending)
    {
        try
        {
            await using ILogFeed feed = log.OpenFeed();
            while (true)
            {
                FeedReading reading = await feed.ReadAsync(7, 400, ending);
                foreach (TopicPartition partition in reading.Assigned)
                {
                    feed.Seek(partition, Stored(partition).Count);
                }

                foreach (LogMessage message in reading.Messages)
                {
                    Store(message);
                }

                foreach (TopicPartition partition in reading.Messages.Select(message => message.At.Of).Distinct())
                {
                    feed.OnStored(partition, Stored(partition).Count);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
        catch (IOException error) when (error.InnerException is not JournalDamagedException)
        {
            // A fault of the disk, or the cut.
        }
        catch (Exception error)
        {
            Wrong($"the sink failed: {error}");
        }
    }

    private List<string> Stored(TopicPartition partition)
    {
        lock (_gate)
        {
            return _stored.TryGetValue(partition, out List<string>? known) ? known : _stored[partition] = [];
        }
    }

    private void Store(LogMessage message)
    {
        List<string> rows = Stored(message.At.Of);
        if (message.At.Offset != rows.Count)
        {
            Wrong($"the sink read {message.At}, and has stored {rows.Count} messages of its partition");
        }

        rows.Add(Encoding.ASCII.GetString(message.Value!.Value.Span));
    }

    private async Task KeepAsync(EmbeddedLog log, Random random, CancellationToken ending)
    {
        while (!ending.IsCancellationRequested)
        {
            _clock.Advance(TimeSpan.FromMinutes(random.Next(10) == 0 ? 70 : 0.5));
            try
            {
                await log.KeepOnceAsync();
            }
            catch (IOException)
            {
                // A fault of the disk, or the cut.
            }

            await Task.Yield();
        }
    }

    private async Task CheckAsync(EmbeddedLog log)
    {
        using var ending = new CancellationTokenSource();
        Task sink = Task.Run(() => SinkAsync(log, ending.Token), CancellationToken.None);
        foreach (LogTopic topic in log.Topics)
        {
            for (int number = 0; number < topic.Partitions.Count; number++)
            {
                var partition = new TopicPartition(topic.Name, number);
                LogPartition bounds = topic.Partitions[number];
                await Wait.UntilAsync(
                    () => Stored(partition).Count >= bounds.End, TimeSpan.FromSeconds(20), $"the sink to store {partition} up to {bounds.End}");
                IReadOnlyList<LogMessage> read = await log.ReadAsync(partition, 0, int.MaxValue, int.MaxValue, default);
                string[] values = [.. read.Select(message => Encoding.ASCII.GetString(message.Value!.Value.Span))];
                if (!read.Select(message => message.At.Offset).SequenceEqual(LongRange(bounds.Start, bounds.End)))
                {
                    Wrong($"{partition} is read as {string.Join(' ', read.Select(message => message.At.Offset))}, its bounds are {bounds}");
                }
                else if (!Stored(partition).Skip((int)bounds.Start).SequenceEqual(values))
                {
                    Wrong($"{partition} is read with other messages than the sink stored");
                }

                if (!read.Select(message => message.Time).SequenceEqual(read.Select(message => message.Time).Order()))
                {
                    Wrong($"times of {partition} go back");
                }
            }
        }

        await ending.CancelAsync();
        await sink;
        CheckStored();
    }

    private void CheckStored()
    {
        foreach (Sent sent in _sent.Where(sent => !sent.IsTwice))
        {
            string[] values = [.. sent.Production.Messages.Select(message => Encoding.ASCII.GetString(message.Value.Span))];
            int[] found = [.. values.Select(value => _stored.Values.Sum(rows => rows.Count(row => row == value)))];
            if (found.Distinct().Count() > 1 || found[0] > 1)
            {
                Wrong($"{sent} is there {string.Join(' ', found)} times");
            }
            else if (found[0] != (sent.Told == Told.Taken ? 1 : sent.Told == Told.NotTaken ? 0 : found[0]))
            {
                Wrong($"{sent} was told {sent.Told}, and is there {found[0]} times");
            }
            else if (sent.Told == Told.Taken)
            {
                for (int index = 0; index < values.Length; index++)
                {
                    MessagePosition at = sent.Positions[index]!.Value;
                    if (_stored[at.Of][(int)at.Offset] != values[index])
                    {
                        Wrong($"{sent}: message {index} is not at {at}");
                    }
                }
            }
        }

        foreach ((TopicPartition partition, List<string> rows) in _stored)
        {
            // A repetition of one that nobody was told of may come later than what followed it.
            HashSet<string> unsure = [.. _sent.Where(sent => sent.Key is not null)
                .SelectMany(sent => sent.Production.Messages).Select(message => Encoding.ASCII.GetString(message.Value.Span))];
            foreach (IGrouping<string, string[]> producer in rows.Where(row => !unsure.Contains(row)).Select(row => row.Split(':'))
                .GroupBy(words => words[0]))
            {
                int[] numbers = [.. producer.Select(words => int.Parse(words[1], CultureInfo.InvariantCulture))];
                if (!numbers.SequenceEqual(numbers.Order()))
                {
                    Wrong($"messages of producer {producer.Key} are out of order in {partition}");
                }
            }
        }
    }

    private static IEnumerable<long> LongRange(long from, long to)
    {
        for (long number = from; number < to; number++)
        {
            yield return number;
        }
    }

    private void Wrong(string what)
    {
        lock (_gate)
        {
            _wrong.Add(what);
        }
    }

    private sealed class Sent(int producer, string? key, Production production, DateTimeOffset at)
    {
        internal int Producer => producer;

        internal string? Key => key;

        internal Production Production => production;

        internal DateTimeOffset At => at;

        internal Told Told { get; set; }

        internal bool IsTwice { get; set; }

        internal IReadOnlyList<MessagePosition?> Positions { get; set; } = [];

        public override string ToString() => $"the production of {Encoding.ASCII.GetString(production.Messages[0].Value.Span).TrimEnd('x')}";
    }
}
