// Recovery of one DLQ, tick by tick, over a store with a switch and a clock that the test drives.
using Estat.Base.Metrics;
using Estat.Base.Storage;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Metrics;
using Estat.Collect.Options;
using Estat.Collect.Recovery;
using Estat.Collect.Uploading;
using Estat.Lake.Names;

namespace Estat.Collect.Tests.Support;

/// <summary>What a node's start gives to recovery. Disposed of, another one may take the folder, as after a restart.</summary>
internal sealed class RecoveryRig : IDisposable
{
    private readonly EstatInstruments _instruments = new();
    private readonly RecoveryLoop _loop;
    private readonly DlqScan _scan;

    internal RecoveryRig(StoragePlace place, string dlqFolder, ManualTimeProvider? time = null, CollectOptions? options = null,
        Func<bool>? idle = null)
    {
        options = (options ?? new CollectOptions()) with { DlqDir = dlqFolder };
        Time = time ?? new ManualTimeProvider();
        Metrics = new PrometheusText(_instruments.Meter);
        Store = new SwitchedStore(place.Store);
        var keys = new ObjectKeys(options.Storage.RawPrefix, ObjectKeys.NewInstance());
        Dlq = new DlqDirectory(options, keys, Ledger, Time, NullLogger.Instance);
        _loop = new RecoveryLoop(
            options, Dlq, new ObjectWriter(Store, _instruments, NullLogger.Instance), new QuarantineKeys(options), keys, _instruments,
            idle ?? (() => true), new StorageState(() => (0, 0), () => { }, Time, NullLogger.Instance), new NoObserver(), Time, Log);
        _scan = new DlqScan(() => Dlq.Way, Time, Backoff.Dlq.Longest);
        Dlq.TakeStock(CancellationToken.None);
    }

    internal ManualTimeProvider Time { get; }

    /// <summary>What recovery logged.</summary>
    internal LogLines Log { get; } = new();

    internal SwitchedStore Store { get; }

    internal Ledger Ledger { get; } = new(() => 0, () => 0);

    internal DlqDirectory Dlq { get; }

    internal PrometheusText Metrics { get; }

    /// <summary>How often the uploader was told that storage answers.</summary>
    internal int Stored { get; private set; }

    /// <summary>One step; whether a file left the DLQ.</summary>
    internal Task<bool> TickAsync() => _loop.TickAsync(_scan, TestContext.Current.CancellationToken);

    /// <summary>Ticks until the folder is empty. Files that are due leave within two rounds over the folder.</summary>
    internal async Task RecoverAllAsync()
    {
        int left = (2 * Directory.EnumerateFiles(Dlq.Folder).Count()) + 2;
        for (; left > 0 && DlqFiles.NamesIn(Dlq.Folder).Length > 0; left--)
        {
            await TickAsync();
        }

        Assert.Empty(DlqFiles.NamesIn(Dlq.Folder));
    }

    public void Dispose()
    {
        _scan.Dispose();
        Metrics.Dispose();
        _instruments.Dispose();
        Dlq.Dispose();
    }
}
