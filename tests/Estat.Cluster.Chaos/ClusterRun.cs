// One run: S3, a membership, a cluster, load, trouble, peace, a drain, and the audit of what was promised.

using System.Diagnostics;
using System.Globalization;
using Amazon.S3.Model;
using Estat.Testing;

namespace Estat.Cluster.Chaos;

/// <summary>What scenarios work on, and what is judged in the end.</summary>
public sealed class ClusterRun : IAsyncDisposable
{
    private const string RawPrefix = "raw";
    private const string QuarantinePrefix = "raw_dlq";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(3);
    private readonly Action<string> _tell;
    private readonly string _bucket;
    private readonly GatewayLog _log;
    private readonly CephRgw _rgw;
    private readonly List<Trouble> _troubles = [];
    private readonly List<string> _complaints = [];
    private readonly CancellationToken _stop;
    private long _loadBegan;

    private ClusterRun(ClusterPlan plan, CephRgw rgw, string bucket, MembershipStore members, Action<string> tell, CancellationToken stop)
    {
        Plan = plan;
        Members = members;
        Random = new Random(plan.Seed);
        _rgw = rgw;
        _bucket = bucket;
        _log = rgw.LogOf(bucket);
        _tell = tell;
        _stop = stop;
        var options = new Dictionary<string, string>
        {
            ["ACK"] = plan.Level,
            ["RAW_BUCKET"] = bucket,
            ["RAW_PREFIX"] = RawPrefix,
            ["DLQ_PREFIX"] = QuarantinePrefix,
            ["S3_ENDPOINT"] = rgw.Endpoint,
            ["AWS_ACCESS_KEY_ID"] = rgw.AccessKey,
            ["AWS_SECRET_ACCESS_KEY"] = rgw.SecretKey,
            // Batches that last for seconds: a kill shall always meet some that are half full.
            ["FLUSH_INTERVAL"] = "2s",
        };
        foreach (var (name, value) in plan.Options)
        {
            options[name] = value;
        }

        Cluster = new ClusterProcesses(members, options);
    }

    /// <summary>What the run is.</summary>
    public ClusterPlan Plan { get; }

    /// <summary>The nodes.</summary>
    public ClusterProcesses Cluster { get; }

    /// <summary>What holds their membership.</summary>
    public MembershipStore Members { get; }

    /// <summary>For the scenario alone.</summary>
    public Random Random { get; }

    /// <summary>Whether the load has lasted as long as it should.</summary>
    public bool TimeIsOver => _stop.IsCancellationRequested || Stopwatch.GetElapsedTime(_loadBegan) >= Plan.Duration;

    /// <summary>Whether this machine and this build have what a run takes; if not, what is missing.</summary>
    public static bool Available(string clustering, out string reason) =>
        CephRgw.Available(out reason) && MembershipStore.Available(clustering, out reason);

    /// <summary>Runs a plan over an S3 of its own.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="tell">Gets lines for people, as things happen, and the tables at the end.</param>
    /// <param name="stop">Ends the load before its time; the audit follows all the same.</param>
    public static async Task<ClusterResult> RunAsync(ClusterPlan plan, Action<string> tell, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(tell);
        tell("Starting S3…");
        await using var rgw = await CephRgw.StartAsync();
        return await RunAsync(plan, rgw, tell, stop);
    }

    /// <summary>Runs a plan over this S3, in a bucket of its own.</summary>
    public static async Task<ClusterResult> RunAsync(ClusterPlan plan, CephRgw rgw, Action<string> tell, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(rgw);
        ArgumentNullException.ThrowIfNull(tell);
        await using var members = await MembershipStore.StartAsync(plan.Clustering);
        await using var run = new ClusterRun(plan, rgw, await rgw.CreateBucketAsync(), members, tell, stop);
        return await run.RunAsync();
    }

    /// <summary>Lets load go on for a while; less if its time is over.</summary>
    public Task ForAsync(TimeSpan time) => Task.Delay(time, _stop).ContinueWith(_ => { }, TaskScheduler.Default);

    /// <summary>Lets load go on until the next trouble is due: a while after the last one began, at once if that took longer.</summary>
    public Task UntilNextAsync()
    {
        var due = Plan.Every - Stopwatch.GetElapsedTime(_troubles.Count == 0 ? _loadBegan : _troubles[^1].Began);
        return due > TimeSpan.Zero ? ForAsync(due) : Task.CompletedTask;
    }

    /// <summary>Does something to the cluster, and waits until the cluster is whole again.</summary>
    /// <param name="what">Names it.</param>
    /// <param name="harm">When this returns, whatever was taken down is up again.</param>
    public async Task TroubleAsync(string what, Func<Task> harm)
    {
        ArgumentNullException.ThrowIfNull(harm);
        var trouble = new Trouble(what, Stopwatch.GetTimestamp());
        _troubles.Add(trouble);
        var at = Stopwatch.GetElapsedTime(_loadBegan, trouble.Began);
        _tell($"{at.TotalSeconds,7:0.0} s  {what}");
        await harm();
        var up = Stopwatch.GetElapsedTime(trouble.Began);
        await Cluster.UntilReplicatedAsync(Calm, Patience);
        trouble.Ended = Stopwatch.GetTimestamp() - (long)(Calm.TotalSeconds * Stopwatch.Frequency);
        _tell($"{"",9}  up after {up.TotalSeconds:0.0} s, whole after {Math.Max(trouble.Lasted.TotalSeconds, up.TotalSeconds):0.0} s");
    }

    public ValueTask DisposeAsync() => Cluster.DisposeAsync();

    private async Task<ClusterResult> RunAsync()
    {
        var silos = Plan.Scenario.SilosAtFirst ?? Plan.Silos;
        _tell($"Starting {silos} silos and {Plan.Gateways} gateways…");
        await Cluster.AddAsync(silos, Plan.Gateways);
        _tell(
            $"{Plan.Scenario.Name}: {Plan.Scenario.Summary}; ack level {Plan.Level}, {Plan.PerSecond} events/s for {Plan.Duration.TotalSeconds:0} s, "
            + $"members in {Plan.Clustering}, seed {Plan.Seed}");
        var sender = new EventSender(Cluster.Gateways[0].Server.BaseAddress, Plan.Connections, Plan.PerSecond)
        {
            OtherTargets = [.. Cluster.Gateways.Skip(1).Select(gateway => gateway.Server.BaseAddress)],
            Kinds = [new(Plan.Level), new(Plan.Level, Named: true), new(Plan.Level), new(Plan.Level, Named: true, Events: 10)],
            AnswerTimeout = AnswerPatience,
            Timed = true,
        };
        using var enough = new CancellationTokenSource();
        _loadBegan = Stopwatch.GetTimestamp();
        var sending = sender.SendAsync(enough.Token);
        var warm = ForAsync(ClusterResult.WarmUp).ContinueWith(_ => CostOf(sender), TaskScheduler.Default);
        await NotingAsync("the scenario failed", () => Plan.Scenario.RunAsync(this));
        await enough.CancelAsync();
        var report = await sending;
        _tell($"Load is over: {report}");
        await TellRefusalsAsync();
        if (_troubles.Count == 0)
        {
            // What a process that was killed had used is not known.
            var (before, after) = (await warm, CostOf(sender));
            var perEvent = 1_000_000.0 / Math.Max(1, after.Events - before.Events);
            _tell(string.Create(
                CultureInfo.InvariantCulture,
                $"CPU per event: gateways {(after.Gateways - before.Gateways) * perEvent:0.0} µs, silos "
                    + $"{(after.Silos - before.Silos) * perEvent:0.0} µs"));
        }

        var calm = Stopwatch.GetTimestamp();
        await NotingAsync("it does not come to rest", SettleAsync);
        _tell($"Stored and drained after {Stopwatch.GetElapsedTime(calm).TotalSeconds:0.0} s; reading what is stored…");
        await SabotageAsync();
        var findings = await Findings.ReadAsync(
            _rgw.Client,
            _bucket,
            RawPrefix,
            QuarantinePrefix,
            [.. Cluster.Silos.Select(silo => silo.DlqFolder)],
            [.. Cluster.Silos.Select(silo => silo.SpoolFolder)],
            sender.Run);
        findings = findings.With(await _log.WritesAsync());
        var result = new ClusterResult(Plan, report, findings, Audit.ByLevel(report, findings.Events), _troubles, _complaints, _loadBegan);
        foreach (var line in result.Lines())
        {
            _tell(line);
        }

        if (result.Complaints.Count > 0)
        {
            KeepEvidence(result.Complaints);
        }

        return result;
    }

    // A gateway that was restarted has forgotten its earlier ones.
    private async Task TellRefusalsAsync()
    {
        const string Rejected = "rejected_";
        var reasons = new SortedDictionary<string, double>();
        foreach (var gateway in Cluster.Gateways)
        {
            foreach (var (name, value) in await gateway.ReadAsync() ?? new Dictionary<string, double>())
            {
                if (value > 0 && name.IndexOf(Rejected, StringComparison.Ordinal) is >= 0 and var at
                    && name.Contains("http_requests", StringComparison.Ordinal))
                {
                    var reason = name[(at + Rejected.Length)..].Replace("_total", "", StringComparison.Ordinal).Replace('_', ' ');
                    reasons[reason] = reasons.GetValueOrDefault(reason) + value;
                }
            }
        }

        _tell($"Requests refused, as the gateways count them: "
            + $"{(reasons.Count == 0 ? "none" : string.Join(", ", reasons.Select(entry => $"{entry.Key} {entry.Value}")))}");
    }

    private (long Events, double Gateways, double Silos) CostOf(EventSender sender) =>
        (sender.LastNumber, CpuOf(Cluster.Gateways), CpuOf(Cluster.Silos));

    private static double CpuOf(IEnumerable<ClusterNode> nodes) => nodes.Where(node => node.IsRunning).Sum(node => node.Server.CpuTime.TotalSeconds);

    private async Task SettleAsync()
    {
        foreach (var silo in Cluster.Silos.Where(silo => !silo.IsRunning && Directory.Exists(silo.SpoolFolder)).ToList())
        {
            // Whatever a scenario left down over its disk is owed what lies there.
            await silo.StartAsync();
        }

        await Cluster.UntilAllStoredAsync(Patience);
        _complaints.AddRange(await Cluster.DrainAsync());
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
            _complaints.Add($"{what}: {e.Message}");
            _tell($"{what}: {e.Message}");
        }
    }

    private async Task SabotageAsync()
    {
        if (Plan.Sabotage is null)
        {
            return;
        }

        var page = await _rgw.Client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _bucket, Prefix = RawPrefix + "/" });
        var key = page.S3Objects[Random.Next(page.S3Objects.Count)].Key;
        await (Plan.Sabotage == "lose"
            ? _rgw.Client.DeleteObjectAsync(_bucket, key)
            : (Task)_rgw.Client.CopyObjectAsync(_bucket, key, _bucket, RawPrefix + "/a_second_time.jsonl.gz"));
    }

    private void KeepEvidence(IReadOnlyList<string> complaints)
    {
        var folder = Path.Combine(Repository.Root, "artifacts", "chaos");
        Directory.CreateDirectory(folder);
        var file = Path.Combine(folder, $"cluster-{Plan.Clustering}-{Plan.Scenario.Name}-{Plan.Level}-{Plan.Seed}.log");
        File.WriteAllLines(file, complaints.Concat(Cluster.Output()));
        _tell($"What the nodes printed: {Path.GetRelativePath(Repository.Root, file)}");
    }
}
