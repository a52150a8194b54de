// A partition with its writers, as a node has them, and what came out of it.
using Estat.Base.Acks;
using Estat.Base.Journal;
using Estat.Collect.Batching;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Metrics;
using Estat.Collect.Options;
using Estat.Collect.Spooling;
using Estat.Collect.Uploading;
using Estat.Lake.Names;

namespace Estat.Collect.Tests.Support;

/// <summary>One partition over a clock that the test drives; above <c>memory</c> with a spool on a real disk. Its writers stand still until
/// <see cref="Start"/>.</summary>
internal sealed class PartitionRig : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly TempFolder _folder = new();
    private readonly List<SealedBatch> _batches = [];
    private readonly ChunkPool _chunks = new();
    private readonly EstatInstruments _instruments = new();
    private readonly CollectOptions _options;
    private readonly FolderPlace _place = new();
    private readonly Spool _spool;
    private readonly DlqDirectory _dlq;
    private readonly SpoolBacklog _backlog;
    private readonly Estat.Collect.Hosting.PartitionWriters _writers;
    private Task? _writing;

    internal PartitionRig(AckLevel level, CollectOptions? options = null, Func<Task>? downstream = null, IJournalFiles? files = null)
    {
        _options = (options ?? new CollectOptions()) with { Partitions = 1 };
        _spool = new Spool(_options, files ?? new DiskFiles(_folder.Path), owner: null, spares: 1, Time, NullLogger.Instance);
        var quarantine = new QuarantineKeys(new CollectOptions());
        var ledger = new Ledger(() => 0, () => 0);
        var store = new BatchStore(
            new ObjectWriter(_place.Store, _instruments, NullLogger.Instance), quarantine,
            new StorageState(() => (0, 0), () => { }, Time, NullLogger.Instance), new NoObserver(), ledger, _instruments, Time, NullLogger.Instance);
        _dlq = new DlqDirectory(_options with { DlqDir = _folder["dlq"] }, new ObjectKeys("raw", _spool.Instance), ledger, Time, NullLogger.Instance);
        _backlog = new SpoolBacklog(_options, _spool, store, _dlq, quarantine, NewEncoder, ledger, Time, NullLogger.Instance);
        _writers = new Estat.Collect.Hosting.PartitionWriters(
            level, 0, _options, new ObjectKeys("raw", _spool.Instance), _chunks, new AckWaiterPool(), NewEncoder(), _spool, _backlog,
            copies: null,
            async batch =>
            {
                _batches.Add(batch);
                await (downstream?.Invoke() ?? Task.CompletedTask);
            },
            _instruments, Time);
    }

    internal ManualTimeProvider Time { get; } = new();

    internal Partition Partition => _writers.Partition;

    internal void Start() => _writing ??= Task.WhenAll([.. _writers.Run()]);

    /// <summary>Appends and does not wait for the sync.</summary>
    internal Admission Append(string body) => Take(body).Admission;

    /// <summary>The same with what the request would await.</summary>
    internal Appended Take(string body) => Partition.Append(EventLines.Header(), System.Text.Encoding.UTF8.GetBytes(body));

    internal Admission AppendBlock(params IEnumerable<string> bodies)
    {
        using var block = new LineBlock(_chunks, _options.BatchSize);
        foreach (string body in bodies)
        {
            block.Add(EventLines.Header(), System.Text.Encoding.UTF8.GetBytes(body));
        }

        return Partition.Append(block, batches: null).Admission;
    }

    /// <summary>Closes the partition and gives what it sealed, in order.</summary>
    internal async Task<IReadOnlyList<SealedBatch>> CloseAsync()
    {
        Start();
        Partition.Close();
        await _writing!.WaitAsync(Limit);
        return _batches;
    }

    /// <summary>The same as text: a batch per line, its reason and its bodies.</summary>
    internal async Task<string[]> CloseAndTellAsync() =>
        [.. (await CloseAsync()).Select(batch => $"{batch.Reason}: {string.Join(' ', EventLines.BodiesOf(batch))}")];

    public void Dispose()
    {
        _writers.Dispose();
        _batches.ForEach(batch =>
        {
            batch.Segment?.Leave();
            batch.Dispose();
        });
        _backlog.Dispose();
        _dlq.Dispose();
        _spool.Dispose();
        _instruments.Dispose();
        _place.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _folder.Dispose();
    }

    private static BatchEncoder NewEncoder() => new(BatchEncoder.Gzip(1), NullLogger.Instance, _ => { });
}
