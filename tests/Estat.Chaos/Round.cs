// One round: a fresh bucket, fresh folders, load, trouble, peace, and the audit of what was promised.

using System.Diagnostics;
using Amazon.S3;
using Amazon.S3.Model;
using Estat.Testing;

namespace Estat.Chaos;

/// <summary>What scenarios work on. Everything in it lasts as long as the round.</summary>
internal sealed class Round : IAsyncDisposable
{
    private const string RawPrefix = "raw";
    private const string QuarantinePrefix = "raw_dlq";
    private const int DeletedAtOnce = 1000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestUnmet = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan UnmetPoll = TimeSpan.FromMilliseconds(5);
    private readonly List<IDisposable> _owned = [];
    private readonly ConservationWatch _watch = new();
    private readonly List<string> _troubles = [];
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly string _bucket;
    private readonly GatewayLog _log;
    private long _loadBegan;

    private Round(RoundPlan plan, IReadOnlyList<string> offeredLevels, CephRgw rgw, string bucket)
    {
        Plan = plan;
        OfferedLevels = offeredLevels;
        Rgw = rgw;
        _bucket = bucket;
        _log = rgw.LogOf(bucket);
        Proxy = Own(FaultProxy.Start(rgw.Port));
        var folder = Own(new TempFolder());
        Options = new Dictionary<string, string>(plan.Options)
        {
            ["HTTP_ADDR"] = $"127.0.0.1:{FreePort.Next()}",
            ["RAW_BUCKET"] = bucket,
            ["RAW_PREFIX"] = RawPrefix,
            ["DLQ_PREFIX"] = QuarantinePrefix,
            ["S3_ENDPOINT"] = Proxy.Endpoint,
            ["AWS_ACCESS_KEY_ID"] = rgw.AccessKey,
            ["AWS_SECRET_ACCESS_KEY"] = rgw.SecretKey,
            ["DLQ_DIR"] = folder["dlq"],
            ["SPOOL_DIR"] = folder["spool"],
        };
        try
        {
            plan.Scenario.Prepare(this, plan.RandomFor(15));
        }
        catch
        {
            Release();
            throw;
        }

        Node = new Node(Options);
    }

    internal RoundPlan Plan { get; }

    internal IReadOnlyList<string> OfferedLevels { get; }

    internal CephRgw Rgw { get; }

    /// <summary>Between the server and S3.</summary>
    internal FaultProxy Proxy { get; }

    internal Node Node { get; }

    /// <summary>What each of the round's processes is started with.</summary>
    internal Dictionary<string, string> Options { get; }

    /// <summary>The small disk of spool and DLQ, if the round has one.</summary>
    internal SmallDisk? Disk { get; set; }

    /// <summary>The server's clock, if the round has one that jumps.</summary>
    internal FakeClock? Clock { get; set; }

    /// <summary>The disk was full at some time.</summary>
    internal bool DiskFailed { get; set; }

    /// <summary>Spool and DLQ were taken away.</summary>
    internal bool DiskWasLost { get; set; }

    internal string DlqFolder => Options["DLQ_DIR"];

    internal string SpoolFolder => Options["SPOOL_DIR"];

    /// <summary>What the round is at, for one that does not end.</summary>
    internal string Phase { get; private set; } = "starting the server";

    /// <summary>Whether the load has lasted as long as it should.</summary>
    internal bool TimeIsOver => Stopwatch.GetElapsedTime(_loadBegan) >= Plan.Load;

    internal static async Task<Round> BeginAsync(RoundPlan plan, IReadOnlyList<string> offeredLevels, CephRgw rgw) =>
        new(plan, offeredLevels, rgw, await rgw.CreateBucketAsync());

    /// <summary>Lets load and trouble go on for a time between these, in milliseconds.</summary>
    internal static Task ForAsync(Random random, int least, int most) => Task.Delay(random.Next(least, most));

    /// <summary>
    /// Does this to connections to S3 and returns once it has struck so many times; trouble that nothing has met yet tests nothing. Goes on after a
    /// while all the same: perhaps there is nothing to upload.
    /// </summary>
    internal async Task FaultUntilStruckAsync(Fault fault, int times)
    {
        var enough = Proxy.Struck + times;
        Proxy.Fault = fault;
        for (var began = Stopwatch.GetTimestamp(); Proxy.Struck < enough && Stopwatch.GetElapsedTime(began) < LongestUnmet;)
        {
            await Task.Delay(UnmetPoll);
        }
    }

    /// <summary>Disposes of it when the round is over.</summary>
    internal T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }

    /// <summary>Load and trouble, then peace until everything is stored, a drain, and the audit.</summary>
    internal async Task<RoundResult> RunAsync(IReadOnlyList<string> sabotage)
    {
        await Node.StartAsync();
        Phase = "under load";
        var sender = new EventSender(
            Node.Server.BaseAddress, Plan.Connections, Plan.PerSecond) { Kinds = Plan.Kinds, AnswerTimeout = AnswerPatience };
        using var enough = new CancellationTokenSource();
        var sending = sender.SendAsync(enough.Token);
        var watching = _watch.RunAsync(Node, enough.Token);
        _loadBegan = Stopwatch.GetTimestamp();
        await NotingAsync("the scenario failed", () => Plan.Scenario.RunAsync(this));
        Phase = "awaiting the last answers";
        await enough.CancelAsync();
        var report = await sending;
        await watching;
        Phase = "coming to rest";
        var calm = Stopwatch.GetTimestamp();
        await NotingAsync("it does not come to rest", SettleAsync);
        var settled = Stopwatch.GetElapsedTime(calm);
        if (!Node.Server.HasExited)
        {
            Node.Server.Kill();
            await Node.Server.WaitForExitAsync(Patience);
        }

        await SabotageAsync(sabotage);

        Phase = "auditing";
        var findings = await Findings.ReadAsync(Rgw.Client, _bucket, RawPrefix, QuarantinePrefix, DlqFolder, SpoolFolder, sender.Run);
        findings = findings.With(await _log.WritesAsync());
        return new RoundResult(
            Plan, report, findings, Audit.ByLevel(report, findings.Events), [.. _troubles, .. _watch.Violations], Node.Kills, _watch.Readings,
            MemoryMayLose: Node.Kills > 0 || Node.GaveUp || DiskWasLost, DiskFailed, DiskWasLost, settled, Stopwatch.GetElapsedTime(_began));
    }

    /// <summary>What the processes printed, for a round that went wrong.</summary>
    internal IEnumerable<string> Evidence() => Options.Where(option => !option.Key.StartsWith("AWS_", StringComparison.Ordinal))
        .Select(option => $"{option.Key}={option.Value}").Concat(Node.Output);

    /// <summary>Empties the bucket: the gateway keeps its objects in memory, and a run is long.</summary>
    internal async Task CleanAsync()
    {
        while (await Rgw.Client.ListObjectsV2Async(
            new ListObjectsV2Request { BucketName = _bucket, MaxKeys = DeletedAtOnce }) is { S3Objects.Count: > 0 } page)
        {
            await Rgw.Client.DeleteObjectsAsync(new DeleteObjectsRequest
            {
                BucketName = _bucket,
                Objects = [.. page.S3Objects.Select(o => new KeyVersion { Key = o.Key })],
            });
        }

        await Rgw.Client.DeleteBucketAsync(_bucket);
    }

    public async ValueTask DisposeAsync()
    {
        await Node.DisposeAsync();
        Release();
    }

    private void Release()
    {
        for (var i = _owned.Count - 1; i >= 0; i--)
        {
            _owned[i].Dispose();
        }
    }

    private async Task SettleAsync()
    {
        if (Node.EndedByItself)
        {
            _troubles.Add($"the server ended by itself with {await Node.Server.WaitForExitAsync(Patience)}: the log says why");
        }

        if (Node.Server.HasExited)
        {
            await Node.StartAsync();
        }

        await Conservation.UntilAllStoredAsync(Node.Server, Patience);
        // A process that has just started counts its DLQ only after a moment.
        await Wait.UntilAsync(
            () => !Directory.Exists(DlqFolder) || !Directory.EnumerateFiles(DlqFolder, "*.jsonl.gz").Any(), Patience, "the DLQ's folder to be empty");
        await Conservation.UntilAllStoredAsync(Node.Server, Patience);
        _watch.Check(await Node.Server.MetricsAsync());
        await Node.DrainAsync();
    }

    private async Task NotingAsync(string what, Func<Task> step)
    {
        try
        {
            await step();
        }
        catch (Exception e)
        {
            // Whatever it was, the audit of what is stored is still of interest.
            _troubles.Add($"{what}: {e.Message}");
        }
    }

    private async Task SabotageAsync(IReadOnlyList<string> kinds)
    {
        if (kinds.Count == 0)
        {
            return;
        }

        var page = await Rgw.Client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _bucket, Prefix = RawPrefix + "/" });
        var keys = page.S3Objects.Select(o => o.Key).ToArray();
        Plan.RandomFor(14).Shuffle(keys);
        foreach (var (kind, key) in kinds.Zip(keys))
        {
            await SabotageAsync(kind, key);
        }
    }

    private async Task SabotageAsync(string kind, string key)
    {
        switch (kind)
        {
            case "lose":
                await Rgw.Client.DeleteObjectAsync(_bucket, key);
                break;
            case "double":
                await Rgw.Client.CopyObjectAsync(_bucket, key, _bucket, RawPrefix + "/a_second_time.jsonl.gz");
                break;
            default:
                await Rgw.Client.CopyObjectAsync(new CopyObjectRequest
                {
                    SourceBucket = _bucket,
                    SourceKey = key,
                    DestinationBucket = _bucket,
                    DestinationKey = key,
                    MetadataDirective = S3MetadataDirective.REPLACE,
                });
                break;
        }
    }
}
