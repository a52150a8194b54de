// A whole node without HTTP: the engine of production over a folder with a switch.
using System.Text;
using Estat.Base.Acks;
using Estat.Base.Files;
using Estat.Base.Journal;
using Estat.Base.Metrics;
using Estat.Base.Storage;
using Estat.Collect.Conservation;
using Estat.Collect.Hosting;
using Estat.Collect.Options;
using Estat.Collect.Spooling;

namespace Estat.Tests.Support;

/// <summary>One start of a node; another one over the same folder is its restart.</summary>
internal sealed class TestNode : IAsyncDisposable
{
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private bool _drained;

    internal TestNode(
        TempFolder folder, CollectOptions? options = null, TimeProvider? time = null, Func<Stream, Stream>? openCompressor = null,
        bool withFaults = false)
    {
        Data = folder["data"];
        options ??= new CollectOptions { RecoveryInterval = TimeSpan.FromMilliseconds(10) };
        var untouched = new CollectOptions();
        Options = options with
        {
            DlqDir = options.DlqDir == untouched.DlqDir ? folder["dlq"] : options.DlqDir,
            SpoolDir = options.SpoolDir == untouched.SpoolDir ? folder["spool"] : options.SpoolDir,
        };
        Store = new SwitchedStore(new FolderObjectStore(Data, TimeProvider.System));
        time ??= TimeProvider.System;
        if (withFaults)
        {
            DirectoryLock owner = DirectoryLock.Take(Options.SpoolDir, "SPOOL_DIR");
            Disk = new FaultingFiles(new DiskFiles(Options.SpoolDir, owner));
            var spool = new Spool(Options, Disk, owner, spares: 2, time, Log);
            Engine = new Engine(Options, Store, time, Log, openCompressor, spool);
        }
        else
        {
            Engine = new Engine(Options, Store, time, Log, openCompressor);
        }

        Metrics = new PrometheusText(Engine.Instruments.Meter);
    }

    internal CollectOptions Options { get; }

    internal string Data { get; }

    internal SwitchedStore Store { get; }

    /// <summary>The spool's disk, if the test wants it to fail.</summary>
    internal FaultingFiles? Disk { get; }

    internal LogLines Log { get; } = new();

    internal Engine Engine { get; }

    internal PrometheusText Metrics { get; }

    internal Balance Balance => Engine.Ledger.Read();

    internal string[] DlqNames => DlqFiles.NamesIn(Options.DlqDir);

    /// <summary>Keys in RAW.</summary>
    internal string[] Keys => KeysUnder(Options.Storage.RawPrefix);

    /// <summary>Keys in the quarantine.</summary>
    internal string[] Quarantine => KeysUnder(Options.Storage.DlqPrefix);

    /// <summary>The bodies in RAW, sorted.</summary>
    internal string[] Stored => [.. StoredEvents.FromFolder(Path.Combine(Data, "raw")).Select(stored => stored.Body).Order(StringComparer.Ordinal)];

    /// <summary>An object's bytes.</summary>
    internal byte[] Read(string key) => File.ReadAllBytes(Path.Combine(Data, key));

    internal TestNode Start()
    {
        Engine.Start();
        return this;
    }

    /// <summary>What starts and drains the node in this one's place.</summary>
    internal EngineRun HandOver()
    {
        _drained = true;
        return new EngineRun(Engine);
    }

    internal async Task<Admission> TrySendAsync(string body) => (await AskAsync(body)).Admission;

    /// <summary>Sends an event at the level of <c>ACK</c> or another, and gives the whole answer.</summary>
    internal ValueTask<Ack> AskAsync(string body, AckLevel? level = null) =>
        Engine.Ingest.AcceptAsync(EventLines.Header(), Encoding.UTF8.GetBytes(body), level ?? Options.Ack);

    internal async Task SendAsync(params IEnumerable<string> bodies)
    {
        foreach (string body in bodies)
        {
            Assert.Equal(Admission.Accepted, await TrySendAsync(body));
        }
    }

    /// <summary>Sends again what was refused for lack of room, as a client does after a 503.</summary>
    internal async Task SendPatientlyAsync(params IEnumerable<string> bodies)
    {
        foreach (string body in bodies)
        {
            if (await TrySendAsync(body) != Admission.Accepted)
            {
                await Wait.UntilAsync(async () => await TrySendAsync(body) == Admission.Accepted, Limit, "room for " + body);
            }
        }
    }

    internal Task UntilAsync(Func<bool> condition, string what, TimeSpan? limit = null) =>
        Wait.UntilAsync(condition, limit ?? Limit, what, () => Balance.ToString());

    /// <summary>Fails unless everything that came is somewhere.</summary>
    internal void AssertConserved()
    {
        Balance b = Balance;
        Assert.True(b.Accepted + b.Found == b.Stored + b.Buffered + b.Spooled + b.Dlq + b.Quarantined + b.Dropped, b.ToString());
        Assert.All(new[] { b.Stored, b.Buffered, b.Spooled, b.Dlq, b.Quarantined, b.Dropped }, events => Assert.True(events >= 0, b.ToString()));
    }

    /// <summary>Ends the node as SIGTERM does. What was lost, which is 0.</summary>
    internal async Task<long> DrainAsync(TimeSpan? budget = null, CancellationTokenSource? hurry = null)
    {
        _drained = true;
        return await Engine.DrainAsync(budget ?? Limit, hurry?.Token ?? CancellationToken.None);
    }

    private string[] KeysUnder(string prefix) => Directory.Exists(Path.Combine(Data, prefix))
        ? [.. Directory.EnumerateFiles(Path.Combine(Data, prefix), "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Data, path))
            .Order(StringComparer.Ordinal)]
        : [];

    public async ValueTask DisposeAsync()
    {
        if (!_drained)
        {
            Store.Gate?.TrySetResult();
            await DrainAsync();
        }

        Metrics.Dispose();
        await Engine.DisposeAsync();
    }
}
