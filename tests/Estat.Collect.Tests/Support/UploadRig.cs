// The way out of a node: uploader, DLQ and what they count, over a store with a switch and a clock that the test drives.
using Estat.Base.Metrics;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Metrics;
using Estat.Collect.Options;
using Estat.Collect.Uploading;
using Estat.Lake.Names;

namespace Estat.Collect.Tests.Support;

/// <summary>An uploader that works from its construction to its disposal, of batches that are in memory only.</summary>
internal sealed class UploadRig : IAsyncDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(250);
    private readonly TempFolder _folder = new();
    private readonly EstatInstruments _instruments = new();
    private readonly Task _working;
    private long _accepted;

    internal UploadRig(CollectOptions? options = null)
    {
        Options = options ?? new CollectOptions();
        if (Options.DlqDir == new CollectOptions().DlqDir)
        {
            Options = Options with { DlqDir = _folder["dlq"] };
        }

        Metrics = new PrometheusText(_instruments.Meter);
        Store = new SwitchedStore(Place.Store);
        Ledger = new Ledger(() => Volatile.Read(ref _accepted), () => 0);
        Dlq = new DlqDirectory(Options, new ObjectKeys("raw", ObjectKeys.NewInstance()), Ledger, Time, NullLogger.Instance);
        BatchStore = new BatchStore(
            new ObjectWriter(Store, _instruments, NullLogger.Instance), new QuarantineKeys(new CollectOptions()),
            new StorageState(() => (0, 0), () => { }, Time, NullLogger.Instance), new NoObserver(), Ledger, _instruments, Time, NullLogger.Instance);
        Uploader = new Uploader(Options, BatchStore, Dlq, backlog: null, copies: null, Ledger, _instruments, Time, NullLogger.Instance);
        _working = Uploader.RunAsync();
    }

    internal CollectOptions Options { get; }

    internal FolderPlace Place { get; } = new();

    internal SwitchedStore Store { get; }

    internal ManualTimeProvider Time { get; } = new();

    internal Ledger Ledger { get; }

    internal DlqDirectory Dlq { get; }

    internal BatchStore BatchStore { get; }

    internal Uploader Uploader { get; }

    internal PrometheusText Metrics { get; }

    /// <summary>Names in the DLQ's folder, its lock aside.</summary>
    internal string[] DlqNames =>
        [.. Directory.EnumerateFiles(Dlq.Folder).Select(Path.GetFileName).Where(name => name != ".lock").Order(StringComparer.Ordinal)!];

    /// <summary>Hands a batch over, as a partition does.</summary>
    internal ValueTask EnqueueAsync(params string[] bodies)
    {
        Interlocked.Add(ref _accepted, bodies.Length);
        return Uploader.EnqueueAsync(Batches.Of(Batches.NewKey(), bodies));
    }

    internal Task UntilAsync(Func<bool> condition, string what) => Time.AdvanceUntilAsync(Step, condition, what);

    /// <summary>The bodies in the DLQ's files.</summary>
    internal string[] DlqBodies() =>
        [.. DlqNames.Where(name => name.EndsWith(ObjectKeys.Extension, StringComparison.Ordinal))
            .SelectMany(name => EventLines.DecodeGzip(File.ReadAllBytes(Path.Combine(Dlq.Folder, name)))).Order(StringComparer.Ordinal)];

    /// <summary>Ends the uploader, with storage as it is.</summary>
    internal async Task CompleteAsync()
    {
        Uploader.Complete();
        await UntilAsync(() => _working.IsCompleted, "the uploader to end");
        await _working;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_working.IsCompleted)
        {
            Store.Gate?.TrySetResult();
            Uploader.Hurry();
            Uploader.GiveUp();
            await CompleteAsync();
        }

        Metrics.Dispose();
        _instruments.Dispose();
        Uploader.Dispose();
        Dlq.Dispose();
        await Place.DisposeAsync();
        _folder.Dispose();
    }
}
