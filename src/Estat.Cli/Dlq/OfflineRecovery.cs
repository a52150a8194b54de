// Recovery without a server: the node's own classes over a folder, storage named by the same options.
using Estat.Collect.Options;
using Estat.Base.Files;
using Estat.Base.Options;
using Estat.Base.Storage;
using Estat.Cli.Frame;
using Estat.Cli.Run;
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Metrics;
using Estat.Collect.Recovery;
using Estat.Collect.Uploading;
using Estat.Lake.Names;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Cli.Dlq;

/// <summary>Owns the folder until it is disposed of. The loop itself never ticks: only what is asked for is tried.</summary>
internal sealed class OfflineRecovery : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly IObjectStore _store;
    private readonly EstatInstruments _instruments = new();
    private readonly DlqDirectory _dlq;
    private readonly DlqOffice _office;
    private readonly Task _loop;

    private OfflineRecovery(CollectOptions options, TimeProvider time)
    {
        _store = ObjectStores.Open(options.ObjectStorage, time);
        var keys = new ObjectKeys(options.Storage.RawPrefix, ObjectKeys.NewInstance());
        var ledger = new Ledger(static () => 0, static () => 0);
        _dlq = new DlqDirectory(options, keys, ledger, time, NullLogger.Instance);
        var writer = new ObjectWriter(_store, _instruments, NullLogger.Instance);
        var recovery = new RecoveryLoop(
            options, _dlq, writer, new QuarantineKeys(options), keys, _instruments,
            uploadsAreIdle: static () => false, new StorageState(static () => (0, 0), static () => { }, time, NullLogger.Instance), new NoObserver(),
            time, NullLogger.Instance);
        _office = new DlqOffice(options, _dlq, recovery, new NoObserver(), keys, time, NullLogger.Instance);
        _loop = recovery.RunAsync(_stop.Token);
    }

    /// <summary>Takes the folder.</summary>
    /// <exception cref="CliException">A server owns it.</exception>
    /// <exception cref="OptionException">An option that names storage has a value that it cannot take.</exception>
    internal static OfflineRecovery Own(string folder, TimeProvider time)
    {
        CollectOptions options = ServerOptions.Bind().Collect with { DlqDir = folder };
        try
        {
            return new OfflineRecovery(options, time);
        }
        catch (FolderOwnedException)
        {
            throw new CliException($"--dir {folder}: a running server owns this folder. Use --url to ask that server, or stop it first");
        }
    }

    internal async Task<DlqOutcome> RetryAsync(string name)
    {
        OrderResult result = await OnceStockedAsync(() => _office.RetryAsync(name)).ConfigureAwait(false);
        return new DlqOutcome
        {
            Outcome = result.End switch
            {
                OrderEnd.Stored => DlqOutcomes.Stored,
                OrderEnd.Quarantined => DlqOutcomes.Quarantined,
                OrderEnd.Missing => DlqOutcomes.Gone,
                OrderEnd.Busy => DlqOutcomes.Busy,
                _ => DlqOutcomes.Failed,
            },
            Detail = result.Detail,
        };
    }

    internal async Task<long?> DiscardAsync(string name, long events)
    {
        OrderResult result = await OnceStockedAsync(() => Task.FromResult(_office.Discard(name, events, "estat dlq discard"))).ConfigureAwait(false);
        return result.End switch
        {
            OrderEnd.Discarded => result.Events,
            OrderEnd.Missing => null,
            OrderEnd.OtherCount => throw new CliException($"{name}: holds {result.Events} events, not {events}. Nothing of it was discarded"),
            _ => throw new CliException($"{name}: {result.Detail ?? "could not be discarded"}"),
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _loop.ContinueWith(_ => { }, TaskScheduler.Default).Wait();
        _dlq.Dispose();
        _store.Dispose();
        _instruments.Dispose();
        _stop.Dispose();
    }

    // The folder is counted first, in the background.
    private static async Task<OrderResult> OnceStockedAsync(Func<Task<OrderResult>> order)
    {
        while (true)
        {
            OrderResult result = await order().ConfigureAwait(false);
            if (result.End != OrderEnd.NotNow)
            {
                return result;
            }

            await Task.Delay(20).ConfigureAwait(false);
        }
    }
}
