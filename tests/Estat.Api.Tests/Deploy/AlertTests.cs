// Alert rules and dashboard: promtool takes them, they ask for what a real server exports, and a real Prometheus raises the alarm.
using System.Text.Json;
using System.Text.RegularExpressions;
using Estat.Api.Tests.Access;
using Estat.Testing;
using YamlDotNet.RepresentationModel;

namespace Estat.Api.Tests.Deploy;

public sealed partial class AlertTests(RealS3 s3)
{
    private const string Rules = "deploy/prometheus/alerts.yml";
    private const string RuleTests = "deploy/prometheus/alerts.test.yml";
    private const string Dashboard = "deploy/grafana/dashboards/estat.json";
    private const string Runbooks = "docs/operations.md";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private static IEnumerable<YamlNode> Alerts =>
        DeployFiles.Documents(Rules)[0].Items("groups").SelectMany(group => group.Items("rules")).Where(rule => rule.At("alert") is not null);

    private static IEnumerable<string> DashboardExpressions =>
        Panels().SelectMany(panel => panel.TryGetProperty("targets", out JsonElement targets) ? targets.EnumerateArray().ToArray() : [])
        .Select(target => target.GetProperty("expr").GetString()!.Replace("$__rate_interval", "1m", StringComparison.Ordinal));

    [Theory]
    [InlineData("check", "rules", Rules)]
    [InlineData("check", "config", "deploy/prometheus/prometheus.yml")]
    [InlineData("test", "rules", RuleTests)]
    public async Task Promtool_is_content(string verb, string what, string file)
    {
        SkipWithout("promtool");
        await Command.SucceedAsync(Patience, "promtool", verb, what, Path.Combine(Repository.Root, file));
    }

    [Fact]
    public void Every_alert_says_how_bad_it_is_what_to_do_and_where_that_is_explained_and_has_a_test()
    {
        IReadOnlySet<string> anchors = DeployFiles.Anchors(Runbooks);
        string tests = DeployFiles.Text(RuleTests);
        Assert.NotEmpty(Alerts);
        Assert.All(Alerts, alert =>
        {
            Assert.Contains(alert.TextAt("labels/severity"), new[] { "warning", "critical" });
            Assert.NotEmpty(alert.TextAt("annotations/summary"));
            Assert.True(alert.TextAt("annotations/description").Length > 40, "a description says what to do");
            string[] runbook = alert.TextAt("annotations/runbook_url").Split('#');
            Assert.Equal(Runbooks, runbook[0]);
            Assert.Contains(runbook[1], anchors);
            Assert.Contains($"\"{alert.TextAt("alert")}\"", tests, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void The_dashboard_is_whole_and_the_chart_has_the_same_rules()
    {
        JsonElement[] panels = Panels();
        Assert.Equal(panels.Length, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.All(panels.Where(panel => panel.GetProperty("type").GetString() != "row"),
            panel => Assert.NotEmpty(panel.GetProperty("targets").EnumerateArray()));
        Assert.All(["Safety", "Traffic", "Latency", "Storage", "Disk", "Requests", "Topics", "Cluster", "Runtime"],
            row => Assert.Contains(panels, panel =>
                panel.GetProperty("type").GetString() == "row" && panel.GetProperty("title").GetString()!.StartsWith(row, StringComparison.Ordinal)));
        Assert.Equal(DeployFiles.Text(Rules), DeployFiles.Text("deploy/helm/estat/files/alerts.yml"));
    }

    [Fact]
    public async Task Every_expression_of_the_dashboard_can_be_parsed()
    {
        SkipWithout("promtool");
        using var folder = new TempFolder();
        var file = folder["dashboard.yml"];
        await File.WriteAllTextAsync(
            file, "groups:\n- name: dashboard\n  rules:\n" + string.Concat(DashboardExpressions.Select((expression, number) =>
            $"  - record: panel:{number}\n    expr: {JsonSerializer.Serialize(expression)}\n")));

        await Command.SucceedAsync(Patience, "promtool", "check", "rules", file);
    }

    [Fact]
    public async Task Every_metric_that_is_watched_is_one_that_a_real_server_exports()
    {
        using var keys = new KeyFile(new { name = "shop", sha256 = KeyFile.Hash("shop") }); // what is counted by key is there with keys only
        using var folder = new TempFolder();
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Serve = ["collect", "requests", "topics"],
            Topics = options.Topics with { Dir = folder["topics"], Database = $"postgres://nobody@127.0.0.1:{FreePort.Next()}/estat" },
            Keys = options.Keys with { File = keys.Path },
        });
        IReadOnlyCollection<string> exported = (await server.MetricsAsync()).Types.Keys;

        string watched = string.Join('\n', Alerts.Select(alert => alert.TextAt("expr")).Concat(DashboardExpressions)) + DeployFiles.Text(Rules);
        string[] missing = [.. Metric().Matches(watched).Select(match => HistogramPart().Replace(match.Value, "")).Distinct()
            .Where(name => !exported.Contains(name) && !OfOthers().IsMatch(name))];
        Assert.Empty(missing);
    }

    [Fact]
    public async Task A_real_Prometheus_raises_the_alarm_of_a_real_server_whose_S3_is_gone_and_takes_it_back()
    {
        SkipWithout("prometheus");
        using var folder = new TempFolder();
        string bucket = await s3.Rgw.CreateBucketAsync();
        using FaultProxy storage = FaultProxy.Start(s3.Rgw.Port);
        storage.Fault = Fault.Refuse;
        var options = s3.Options(bucket, folder, storage.Endpoint);
        options["FLUSH_INTERVAL"] = "100ms";
        options["S3_APP_RETRIES"] = "0";
        await using ServerProcess server = await ServerProcess.StartAsync(options);
        using var body = new StringContent("an event");
        (await server.Client.PostAsync("/collect", body)).EnsureSuccessStatusCode();

        string address = $"127.0.0.1:{FreePort.Next()}";
        await using ChildProcess prometheus = await WatchAsync(server, folder, address);
        using var client = new HttpClient { BaseAddress = new Uri($"http://{address}") };

        string alerts = "";
        async Task<bool> FiresAsync(string alert)
        {
            try
            {
                alerts = await client.GetStringAsync(new Uri("/api/v1/alerts", UriKind.Relative));
            }
            catch (HttpRequestException e)
            {
                alerts = e.Message;
                return false;
            }

            using var answer = JsonDocument.Parse(alerts);
            return answer.RootElement.GetProperty("data").GetProperty("alerts").EnumerateArray().Any(raised =>
                raised.GetProperty("labels").GetProperty("alertname").GetString() == alert && raised.GetProperty("state").GetString() == "firing");
        }

        await Wait.UntilAsync(
            async () => await FiresAsync("EstatStorageFailing") && await FiresAsync("EstatDlqNotEmpty"), Patience, "both alarms",
            () => $"{alerts}\n{prometheus.AllOutput}");
        storage.Fault = Fault.None;
        await Wait.UntilAsync(
            async () => !await FiresAsync("EstatStorageFailing") && !await FiresAsync("EstatDlqNotEmpty")
                && alerts.Contains("success", StringComparison.Ordinal),
            Patience, "the alarms to end", () => alerts);
    }

    // The rules as they are, but for their patience.
    private static async Task<ChildProcess> WatchAsync(ServerProcess server, TempFolder folder, string address)
    {
        await File.WriteAllTextAsync(folder["alerts.yml"], Patient().Replace(DeployFiles.Text(Rules), "for: 1s"));
        await File.WriteAllTextAsync(folder["prometheus.yml"], $$"""
            global: { scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms }
            rule_files: [alerts.yml]
            scrape_configs:
              - job_name: estat
                static_configs: [{ targets: ["{{server.BaseAddress.Authority}}"] }]
            """);
        return ChildProcess.Launch(
            "Prometheus", ["prometheus", $"--config.file={folder["prometheus.yml"]}", $"--storage.tsdb.path={folder["tsdb"]}",
                $"--web.listen-address={address}"],
            new Dictionary<string, string>());
    }

    // An alarm on an event that does not exist never sounds.
    [Fact]
    public void Every_log_event_that_the_runbooks_name_exists()
    {
        string runbooks = DeployFiles.Text(Runbooks);
        string[] named = [.. Said().Matches(runbooks).SelectMany(said => Quoted().Matches(said.Value)).Select(quoted => quoted.Groups[1].Value)
            .Distinct()];
        string sources = string.Join(
            '\n', Directory.EnumerateFiles(Path.Combine(Repository.Root, "src"), "*.cs", SearchOption.AllDirectories).Select(File.ReadAllText));

        Assert.True(named.Length > 15, string.Join(", ", named));
        Assert.DoesNotContain(named, name => !sources.Contains($" void Log{name}(ILogger", StringComparison.Ordinal));
    }

    private static void SkipWithout(string tool) =>
        Assert.SkipUnless(Command.Exists(tool), $"no {tool} on PATH: apt-get install --no-install-recommends prometheus");

    private static JsonElement[] Panels()
    {
        using var dashboard = JsonDocument.Parse(DeployFiles.Text(Dashboard));
        return [.. dashboard.RootElement.GetProperty("panels").EnumerateArray().Select(panel => panel.Clone())];
    }

    [GeneratedRegex(@"(?<![\w:""])(?:estat|http|s3|dlq|dotnet|process)_[a-z0-9_]+(?!:)\b")]
    private static partial Regex Metric();

    [GeneratedRegex(@"for: \d+m")]
    private static partial Regex Patient();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex HistogramPart();

    // "*Log* `A`, `B` (…)." and "event = …", "event in […]" of queries.
    [GeneratedRegex(@"(?<=\*Log\* )[^.]*|event (?:=|in) [^|}\n]*")]
    private static partial Regex Said();

    [GeneratedRegex(@"[`""]([A-Z][A-Za-z]+)[`""]")]
    private static partial Regex Quoted();

    // Of gateways and silos only, or with a certificate; WatchedNamesTests compares them with the sources.
    [GeneratedRegex("^estat_(forward|recovery_ticks|tls)_")]
    private static partial Regex OfOthers();
}
