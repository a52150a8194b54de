// One run of the whole-node model: starts that lose power or are killed, one after another, then one that is left in peace.
using System.Collections.Concurrent;
using System.Globalization;
using Estat.Base.Acks;
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Collect.Hosting;
using Estat.Collect.Options;
using Estat.Testing.PowerCuts;

namespace Estat.Spool.Tests.Model;

/// <summary>
/// The engine of production over a disk, a store and a clock of the model. Everything drawn comes from the seed; what the threads make of it does
/// not, so a seed that failed may need some repetitions to fail again.
/// </summary>
internal sealed class NodeModel : IDisposable
{
    private const int SpeedOfTime = 500;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Random _random;
    private readonly HurriedTime _time = new(SpeedOfTime);
    private readonly ModelEvents _events = new();
    private readonly StoredObjects _objects;
    private readonly ConcurrentQueue<string> _faults = new();
    private readonly ConcurrentQueue<string> _log = new();
    private readonly string _folder;
    private readonly CollectOptions _options;
    private PowerCutFiles? _disk;
    private int _start;
    private bool _wasKilled;
    private bool _failedToSync;

    internal NodeModel(int seed)
    {
        _random = new Random(seed);
        _objects = new StoredObjects(_events);
        string memory = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath();
        _folder = Directory.CreateDirectory(Path.Combine(memory, $"estat-model-{Guid.NewGuid():N}")).FullName;
        _options = new CollectOptions
        {
            AckAllowed = [AckLevel.Disk, AckLevel.Stored],
            Partitions = _random.Next(1, 4),
            BatchSize = Pick(1, 2, 5, 12, 40),
            BatchBytes = Pick(300, 3000, 100_000),
            FlushInterval = TimeSpan.FromSeconds(Pick(1, 3, 15)),
            StoredMaxWait = TimeSpan.FromSeconds(Pick(1, 3, 10)),
            ChannelSize = Pick(3, 12, 60, 1000),
            UploadQueue = Pick(1, 4),
            UploadConcurrency = Pick(1, 4),
            S3AppRetries = Pick(0, 2),
            RecoveryInterval = TimeSpan.FromSeconds(1),
            DiskMinFreeBytes = 1,
        };
    }

    /// <summary>Runs it.</summary>
    /// <exception cref="InvalidOperationException">A promise was broken; the message says which.</exception>
    internal async Task RunAsync()
    {
        int cuts = _random.Next(1, 5);
        for (int cut = 0; cut < cuts; cut++)
        {
            await LiveAsync(isLast: false);
        }

        await LiveAsync(isLast: true);
        foreach (string fault in _objects.FaultsAtTheEnd())
        {
            _faults.Enqueue(fault);
        }

        if (!_faults.IsEmpty)
        {
            throw new InvalidOperationException(string.Join(Environment.NewLine, [.. _faults.Take(20), "what the nodes logged:", .. _log]));
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task LiveAsync(bool isLast)
    {
        // Many cuts come early: the first operations of a start are recovery's.
        long lastOperation = isLast ? long.MaxValue : (long)Math.Exp(_random.NextDouble() * Math.Log(600));
        var power = new PowerSwitch(lastOperation);
        DiskFaults faults = isLast ? DiskFaults.None : DiskFaults.Draw(_random);
        bool isKill = _disk is not null && _random.Next(3) == 0;
        _wasKilled |= isKill;
        _failedToSync |= faults.Sync > 0;
        _disk = _disk is null ? new PowerCutFiles(power, new Random(_random.Next()), faults, dawdles: true)
            : isKill ? _disk.Successor(power, faults)
            : _disk.Survivors(power, faults);
        CollectOptions options = _options with { DlqDir = FolderOfDlq(_start) };
        using var log = new FaultLog(_start, _faults, _log, power);
        var store = new ModelStore(_objects, power, new Random(_random.Next()), isLast ? 0 : Pick(0, 0, 1, 5, 20, 100) / 100.0);
        if (await TryStartAsync(options, store, log, power) is { } engine)
        {
            int seed = _random.Next();
            int senders = isLast ? 0 : Math.Max(0, _random.Next(-2, 6)); // a start may do nothing but recover
            Task[] sending = [.. Enumerable.Range(0, senders).Select(number => Task.Run(() => SendAsync(engine, power, new Random(seed + number))))];
            if (isLast)
            {
                await FinishAsync(engine);
            }
            else
            {
                await Task.WhenAny(power.Off, Task.WhenAll(sending));
                await Task.WhenAny(power.Off, Task.Delay(_random.Next(0, 6)));
                power.CutNow();
                Balance last = engine.Ledger.Read();
                if (last.Stored < 0 || last.Buffered < 0 || last.Spooled < 0 || last.Dlq < 0 || last.Quarantined < 0 || !MayDrop(last.Dropped))
                {
                    _faults.Enqueue($"at the cut that ended start {_start}: {last}");
                }

                await BuryAsync(engine, sending);
            }
        }

        _start++;
    }

    private string FolderOfDlq(int start) => Path.Combine(_folder, start.ToString(CultureInfo.InvariantCulture));

    private async Task<Engine?> TryStartAsync(CollectOptions options, ModelStore store, FaultLog log, PowerSwitch power)
    {
        while (true)
        {
            try
            {
                // As the engine's own constructor does: a spare for each partition.
                var spool = new Collect.Spooling.Spool(options, _disk!, null, options.Partitions + 1, _time, log.CreateLogger("spool"));
                var engine = new Engine(options, store, _time, log, null, spool);
                engine.Start();
                return engine;
            }
            catch (IOException) when (power.IsOff)
            {
                if (Directory.Exists(options.DlqDir))
                {
                    Directory.Move(options.DlqDir, FolderOfDlq(_start + 1));
                }
                else
                {
                    Directory.CreateDirectory(FolderOfDlq(_start + 1));
                }

                return null;
            }
            catch (IOException)
            {
                // The operator starts it again.
                await Task.Yield();
            }
        }
    }

    // A client, or several in turn: single events and blocks, at both levels.
    private async Task SendAsync(Engine engine, PowerSwitch power, Random random)
    {
        for (int request = random.Next(5, 60); request > 0 && !power.IsOff; request--)
        {
            AckLevel level = random.Next(6) == 0 ? AckLevel.Stored : AckLevel.Disk;
            Range events = _events.Take(random.Next(3) == 0 ? random.Next(1, 60) : 1);
            (int first, int count) = events.GetOffsetAndLength(ModelEvents.Most);
            if (count == 0)
            {
                return;
            }

            ValueTask<Ack> answer;
            if (count == 1 && random.Next(4) > 0)
            {
                answer = engine.Ingest.AcceptAsync(ModelEvents.Header(), ModelEvents.BodyOf(first), level);
            }
            else
            {
                using LineBlock block = engine.Ingest.NewBlock();
                for (int number = first; number < first + count; number++)
                {
                    block.Add(ModelEvents.Header(), ModelEvents.BodyOf(number));
                }

                answer = engine.Ingest.AcceptAsync(block, level);
            }

            Ack ack = await answer;
            Note(power, events, ack);
            if (random.Next(8) == 0)
            {
                await Task.Delay(1);
            }
        }
    }

    private void Note(PowerSwitch power, Range events, Ack ack)
    {
        lock (power.Gate)
        {
            if (ack.Admission is Admission.QueueFull or Admission.StorageFull or Admission.Draining)
            {
                _events.Tell(events, Told.Refused);
            }
            else if (ack.IsAccepted && !power.IsOff)
            {
                _events.Tell(events, Told.Accepted);
                (int first, int count) = events.GetOffsetAndLength(ModelEvents.Most);
                if (ack.Level == AckLevel.Stored && Enumerable.Range(first, count).Any(number => _objects.KeysOf(number).Count == 0))
                {
                    _faults.Enqueue($"events {events} were acknowledged as stored and were not");
                }
            }
        }
    }

    // The machine is off: nothing that the process does has any effect. It ends, as its threads must not outlive the test.
    private async Task BuryAsync(Engine engine, Task[] sending)
    {
        // What it still writes to the old path of the DLQ fails.
        Directory.Move(FolderOfDlq(_start), FolderOfDlq(_start + 1));
        using var hurry = new CancellationTokenSource();
        await hurry.CancelAsync();
        await engine.DrainAsync(TimeSpan.FromSeconds(1), hurry.Token).WaitAsync(Limit);
        await Task.WhenAll(sending).WaitAsync(Limit);
        await engine.DisposeAsync().AsTask().WaitAsync(Limit);
    }

    private async Task FinishAsync(Engine engine)
    {
        await Wait.UntilAsync(() => engine.Ledger.Read() is { Buffered: 0, Spooled: 0, Dlq: 0 } && DlqIsEmpty(), Limit, "the DLQ to be empty",
            () => engine.Ledger.Read().ToString());
        await engine.DrainAsync(Limit * SpeedOfTime, CancellationToken.None).WaitAsync(Limit);
        Balance end = engine.Ledger.Read();
        if (end is not { Buffered: 0, Spooled: 0, Dlq: 0, Quarantined: >= 0 } || !MayDrop(end.Dropped)
            || end.Accepted + end.Found != end.Stored + end.Quarantined + end.Dropped)
        {
            _faults.Enqueue($"at the end: {end}");
        }

        await engine.DisposeAsync();
        string[] left = [.. _disk!.Names().Where(name => name.EndsWith(Collect.Spooling.Spool.Extension, StringComparison.Ordinal))];
        if (left.Length > 0)
        {
            _faults.Enqueue($"segments are left: {string.Join(' ', left)}");
        }
    }

    // A kill leaves events that nobody was told of and no sync has reached. The next start finds them; when the disk then fails to sync them, they
    // are gone. Were they acknowledged ones, they would be missed at the end.
    private bool MayDrop(long events) => events == 0 || (events > 0 && _wasKilled && _failedToSync);

    private bool DlqIsEmpty() => !Directory.EnumerateFiles(FolderOfDlq(_start), "*.gz").Any();

    private T Pick<T>(params T[] choices) => choices[_random.Next(choices.Length)];

    // What must not be logged while the power is on.
    private sealed class FaultLog(int start, ConcurrentQueue<string> faults, ConcurrentQueue<string> lines, PowerSwitch power) : ILoggerFactory,
        ILogger
    {
        private static readonly string[] Wrong = ["LogKeyConflict", "LogPartCrashed", "LogUploadCrashed", "LogDropped", "LogIdentityUnreadable",
            "LogEmptied", "LogMissing", "LogGone", "LogLost"];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information && !power.IsOff;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (power.IsOff)
            {
                return;
            }

            lines.Enqueue($"  start {start}: {formatter(state, exception)}");
            if (Wrong.Contains(eventId.Name))
            {
                faults.Enqueue($"logged: {formatter(state, exception)} {exception}");
            }
        }

        public void Dispose()
        {
        }
    }
}
