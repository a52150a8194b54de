// Manifests for Kubernetes, ECS and compose name options that exist, paths that a real server answers, and a container that may do nothing else.
using System.Net;
using System.Text.Json;
using Estat.Api.Options;
using Estat.Requests.Options;
using Estat.Testing;
using YamlDotNet.RepresentationModel;

namespace Estat.Api.Tests.Deploy;

public sealed class ManifestTests
{
    private const string Standalone = "deploy/kubernetes/standalone.yaml";
    private const string Cluster = "deploy/kubernetes/cluster.yaml";
    private const string Requests = "deploy/kubernetes/requests.yaml";
    private const string Topics = "deploy/kubernetes/topics.yaml";
    private const string TaskDefinition = "deploy/ecs/task-definition.json";
    private const string Healthy = "/health";
    private static readonly string[] NoOptions = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    private static readonly string[] Names = [.. OptionTable.All.Concat(OptionTable.OfCluster).Select(option => option.Name), .. NoOptions];

    [Theory]
    [InlineData(Standalone, "StatefulSet", "Service", "Service", "PodDisruptionBudget", "Ingress", "NetworkPolicy", "ServiceAccount")]
    [InlineData(Requests, "StatefulSet", "Service", "Service", "PodDisruptionBudget", "Ingress", "NetworkPolicy", "ServiceAccount")]
    [InlineData(Topics, "StatefulSet", "Service", "Service", "PodDisruptionBudget", "Ingress", "NetworkPolicy", "ServiceAccount")]
    [InlineData(Cluster, "StatefulSet", "Deployment", "Service", "Service", "PodDisruptionBudget", "PodDisruptionBudget", "NetworkPolicy",
        "ServiceAccount", "ServiceMonitor", "PrometheusRule")]
    public void Kubernetes_gets_whole_documents(string file, params string[] kinds)
    {
        IReadOnlyList<YamlMappingNode> documents = DeployFiles.Documents(file);

        Assert.Equal(kinds.Order(), documents.Select(document => document.TextAt("kind")).Order());
        Assert.All(documents, document =>
        {
            Assert.NotEmpty(document.TextAt("apiVersion"));
            Assert.Matches("^[a-z0-9-]{1,63}$", document.TextAt("metadata/name"));
        });
        Assert.Equal(documents.Count, documents.Select(document => (document.TextAt("kind"), document.TextAt("metadata/name"))).Distinct().Count());
    }

    [Theory]
    [InlineData(Standalone)]
    [InlineData(Requests)]
    [InlineData(Topics)]
    [InlineData(Cluster)]
    public async Task Pods_hold_on_to_their_disks_may_do_little_and_are_asked_what_a_server_answers(string file)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        foreach (YamlMappingNode workload in DeployFiles.Documents(file).Where(document => document.At("spec/template/spec/containers") is not null))
        {
            YamlNode pod = workload.At("spec/template/spec")!;
            YamlNode container = Assert.Single(pod.Items("containers"));
            Assert.Equal(Labels(workload.At("spec/selector/matchLabels")!), Labels(workload.At("spec/template/metadata/labels")!)
                .Intersect(Labels(workload.At("spec/selector/matchLabels")!)));
            Assert.Equal(("true", "1654", "1654"),
                (pod.TextAt("securityContext/runAsNonRoot"), pod.TextAt("securityContext/runAsUser"), pod.TextAt("securityContext/fsGroup")));
            Assert.Equal(("true", "false"),
                (container.TextAt("securityContext/readOnlyRootFilesystem"), container.TextAt("securityContext/allowPrivilegeEscalation")));
            Assert.Equal("ALL", ((YamlScalarNode)Assert.Single(container.Items("securityContext/capabilities/drop"))).Value);
            Assert.NotEmpty(container.TextAt("resources/limits/memory"));
            foreach (string probe in new[] { "startupProbe", "livenessProbe", "readinessProbe" })
            {
                Assert.Contains(container.TextAt($"{probe}/httpGet/port"), container.Items("ports").Select(port => port.TextAt("name")));
                using HttpResponseMessage answer = await server.Client.GetAsync(new Uri(container.TextAt($"{probe}/httpGet/path"), UriKind.Relative));
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            }

            // A node that is full is not ready; ended for it, it would come back as full, or not at all.
            Assert.Equal(Healthy, container.TextAt("livenessProbe/httpGet/path"));
            Dictionary<string, string> environment = Environment(container.Items("env"));
            Assert.All(environment.Keys, name => Assert.Contains(name, Names));
            Assert.Equal(container.Items("ports").First().TextAt("containerPort"), environment["HTTP_ADDR"].TrimStart(':'));
            TimeSpan shutdown = Bind(environment).Node.ShutdownTimeout;
            Assert.True(int.Parse(pod.TextAt("terminationGracePeriodSeconds"),
                System.Globalization.CultureInfo.InvariantCulture) > shutdown.TotalSeconds, "a drain must not be killed");
            if (environment.TryGetValue("SPOOL_DIR", out string? spool))
            {
                string mounted = container.Items("volumeMounts")
                    .Single(mount => spool.StartsWith(mount.TextAt("mountPath") + "/", StringComparison.Ordinal)).TextAt("name");
                Assert.Contains(workload.Items("spec/volumeClaimTemplates"), claim => claim.TextAt("metadata/name") == mounted);
                Assert.Equal(("Retain", "Retain"), (workload.TextAt("spec/persistentVolumeClaimRetentionPolicy/whenDeleted"),
                    workload.TextAt("spec/persistentVolumeClaimRetentionPolicy/whenScaled")));
                Assert.Contains(DeployFiles.Documents(file),
                    service => service.TextAt("kind") == "Service" && service.TextAt("metadata/name") == workload.TextAt("spec/serviceName"));
            }
        }
    }

    [Fact]
    public void Several_servers_that_decide_requests_share_a_table()
    {
        YamlMappingNode workload = Assert.Single(DeployFiles.Documents(Requests), document => document.TextAt("kind") == "StatefulSet");
        Dictionary<string, string> environment = Environment(Assert.Single(workload.Items("spec/template/spec/containers")).Items("env"));
        EstatOptions options = Bind(environment);

        Assert.NotEqual("1", workload.TextAt("spec/replicas"));
        Assert.Equal((StoreKind.DynamoDb, "estat-requests"), (options.Requests.Store, options.Requests.Table));
        Assert.NotNull(options.Requests.DeadLetterQueue);
        Assert.DoesNotContain("REQUESTS_DIR", environment.Keys);
        Assert.DoesNotContain(environment.Keys, name => name.EndsWith("_ENDPOINT", StringComparison.Ordinal)); // of local runs
    }

    // The log has one owner. Of two pods the second would find the messages of another log in the database.
    [Fact]
    public void One_server_of_topics_has_its_log_on_the_volume_and_the_database_s_password_in_a_file()
    {
        YamlMappingNode workload = Assert.Single(DeployFiles.Documents(Topics), document => document.TextAt("kind") == "StatefulSet");
        YamlNode container = Assert.Single(workload.Items("spec/template/spec/containers"));
        Dictionary<string, string> environment = Environment(container.Items("env"));
        EstatOptions options = Bind(environment);

        Assert.Equal(("1", "topics"), (workload.TextAt("spec/replicas"), Assert.Single(options.Serve)));
        Assert.Equal("state", MountOf(options.Topics.Dir));
        string secret = Assert.Single(workload.Items("spec/template/spec/volumes"),
            volume => volume.TextAt("name") == MountOf(options.Topics.DatabaseFile)).TextAt("secret/secretName");
        Assert.NotEmpty(secret);
        Assert.DoesNotContain("TOPICS_DATABASE", environment.Keys);

        string MountOf(string path) => container.Items("volumeMounts")
            .Single(mount => path.StartsWith(mount.TextAt("mountPath") + "/", StringComparison.Ordinal)).TextAt("name");
    }

    [Theory]
    [InlineData("--set", "replicas=1", true)]
    [InlineData("--set", "replicas=2", false)]
    [InlineData("--set", "mode=cluster", false)]
    [InlineData("--set", "topics.existingSecret=", false)]
    [InlineData("--set", "options.TOPICS_DATABASE=postgres://estat:secret@db/estat", false)]
    public async Task The_chart_serves_topics_by_one_server_with_a_secret(string set, string value, bool isTaken)
    {
        Assert.SkipUnless(Command.Exists("helm"), "no helm on PATH");
        string chart = Path.Combine(Repository.Root, "deploy/helm/estat");
        CommandResult rendered = await Command.RunAsync(
            TimeSpan.FromSeconds(60), "helm", "template", "estat", chart, "-f", Path.Combine(chart, "ci/topics.yaml"), set, value);

        Assert.True(rendered.ExitCode == 0 == isTaken, rendered.Output);
    }

    [Theory]
    [InlineData("development", 1)]
    [InlineData("production", 168)]
    public void Environments_of_topics_name_options_that_exist(string name, int hours)
    {
        Dictionary<string, string> environment = DeployFiles.Text($"deploy/topics/{name}.env").Split('\n')
            .Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        Assert.All(environment.Keys, option => Assert.Contains(option, Names));
        environment["TOPICS_DATABASE_FILE"] = "/run/secrets/topics-database";

        Assert.Equal(TimeSpan.FromHours(hours), Bind(environment).Topics.Retention);
    }

    [Theory]
    [InlineData("sqlite", 1, true)]
    [InlineData("sqlite", 2, false)]
    [InlineData("dynamodb", 1, true)]
    [InlineData("dynamodb", 2, true)]
    public async Task The_chart_lets_several_servers_decide_requests_over_one_table_only(string store, int replicas, bool isTaken)
    {
        Assert.SkipUnless(Command.Exists("helm"), "no helm on PATH");
        CommandResult rendered = await Command.RunAsync(TimeSpan.FromSeconds(60), "helm", "template", "estat",
            Path.Combine(Repository.Root, "deploy/helm/estat"), "--set", "options.SERVE=requests", "--set", $"requests.store={store}",
            "--set", $"replicas={replicas}");

        Assert.True(rendered.ExitCode == 0 == isTaken, rendered.Output);
    }

    [Fact]
    public async Task The_manifests_are_what_the_chart_renders()
    {
        Assert.SkipUnless(Command.Exists("helm"), "no helm on PATH");
        await Command.SucceedAsync(TimeSpan.FromSeconds(60), Path.Combine(Repository.Root, "scripts/render-manifests.sh"), "--check");
    }

    [Fact]
    public void The_charts_options_exist_and_its_values_are_those_of_its_schema()
    {
        YamlMappingNode values = DeployFiles.Documents("deploy/helm/estat/values.yaml")[0];
        using var schema = JsonDocument.Parse(DeployFiles.Text("deploy/helm/estat/values.schema.json"));

        Assert.All(Labels(values.At("options")!), option => Assert.Contains(option.Name, Names));
        Assert.Equal(
            schema.RootElement.GetProperty("properties").EnumerateObject().Select(property => property.Name).Where(name => name != "global").Order(),
            values.Children.Keys.Select(key => ((YamlScalarNode)key).Value!).Order());
    }

    [Fact]
    public void The_ECS_task_holds_what_Fargate_needs_and_leaves_time_for_a_drain()
    {
        YamlMappingNode task = DeployFiles.Documents(TaskDefinition)[0];
        YamlNode container = task.Items("containerDefinitions").Single(c => c.TextAt("essential") == "true");
        Dictionary<string, string> environment = Environment(container.Items("environment"));
        EstatOptions options = Bind(environment);

        Assert.Equal(("awsvpc", "FARGATE"), (task.TextAt("networkMode"), ((YamlScalarNode)task.Items("requiresCompatibilities").Single()).Value));
        Assert.NotEmpty(task.TextAt("executionRoleArn"));
        Assert.NotEmpty(task.TextAt("taskRoleArn"));
        Assert.Equal(("1654", "true"), (container.TextAt("user"), container.TextAt("readonlyRootFilesystem")));
        Assert.All(environment.Keys.Concat(container.Items("secrets").Select(secret => secret.TextAt("name"))), name => Assert.Contains(name, Names));
        Assert.DoesNotContain("ADMIN_TOKEN", environment.Keys);
        Assert.True(int.Parse(container.TextAt("stopTimeout"),
            System.Globalization.CultureInfo.InvariantCulture) > options.Node.ShutdownTimeout.TotalSeconds, "a drain must not be killed");
        Assert.Equal($":{container.Items("portMappings").Single().TextAt("containerPort")}", options.Http.HttpAddr);
        Assert.All(new[] { options.Collect.SpoolDir, options.Collect.DlqDir },
            folder => Assert.Contains(container.Items("mountPoints"), mount =>
                folder.StartsWith(mount.TextAt("containerPath") + "/", StringComparison.Ordinal) && mount.TextAt("readOnly") == "false"));
        Assert.All(container.Items("mountPoints"),
            mount => Assert.Contains(task.Items("volumes"), volume => volume.TextAt("name") == mount.TextAt("sourceVolume")));
        Assert.All(container.Items("dependsOn"),
            first => Assert.Contains(task.Items("containerDefinitions"), other => other.TextAt("name") == first.TextAt("containerName")));
        string[] check = [.. container.Items("healthCheck/command").Select(part => ((YamlScalarNode)part).Value!)];
        Assert.Contains($"[{string.Join(", ", check[1..4].Select(part => $"\"{part}\""))}",
            DeployFiles.Text("Dockerfile").Replace("HEALTHCHECK", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal(Healthy, check[^1]); // the node of this environment, whatever its port and with a certificate too
    }

    [Theory]
    [InlineData("deploy/ecs/task-policy.json")]
    [InlineData("deploy/ecs/cluster-policy.json")]
    [InlineData("deploy/ecs/operator-policy.json")]
    [InlineData("deploy/ecs/execution-policy.json")]
    [InlineData("deploy/ecs/requests-policy.json")]
    public void Policies_allow_named_things_only(string file)
    {
        using var policy = JsonDocument.Parse(DeployFiles.Text(file));
        Assert.Equal("2012-10-17", policy.RootElement.GetProperty("Version").GetString());
        Assert.All(policy.RootElement.GetProperty("Statement").EnumerateArray(), statement =>
        {
            string[] actions = [.. statement.GetProperty("Action").EnumerateArray().Select(action => action.GetString()!)];
            Assert.DoesNotContain(actions, action => action.Contains('*', StringComparison.Ordinal));
            Assert.All(statement.GetProperty("Resource").EnumerateArray(), resource =>
                Assert.True(resource.GetString() != "*" || actions is ["ecr:GetAuthorizationToken"], $"{string.Join(", ", actions)} on everything"));
        });
    }

    [Theory]
    [InlineData("deploy/ecs/task-policy.json")]
    [InlineData("deploy/ecs/operator-policy.json")]
    [InlineData("deploy/ecs/requests-policy.json")]
    public void Who_may_write_objects_may_look_at_them(string file)
    {
        using var policy = JsonDocument.Parse(DeployFiles.Text(file));
        (string Action, string Resource)[] allowed = [.. policy.RootElement.GetProperty("Statement").EnumerateArray()
            .SelectMany(statement => statement.GetProperty("Action").EnumerateArray()
                .SelectMany(action => statement.GetProperty("Resource").EnumerateArray(), (action, on) => (action.GetString()!, on.GetString()!)))];
        string[] written = [.. allowed.Where(each => each.Action == "s3:PutObject").Select(each => each.Resource)];
        Assert.NotEmpty(written);
        Assert.All(written, resource => Assert.Contains(("s3:GetObject", resource), allowed)); // a HEAD proves what an ETag does not
    }

    [Fact]
    public void Compose_names_options_that_exist()
    {
        YamlMappingNode compose = DeployFiles.Documents("docker-compose.yml")[0];

        Assert.All(Labels(compose.At("x-options")!), option => Assert.Contains(option.Name, Names));
        Assert.All(["silo-1", "silo-2", "silo-3", "gateway", "requests", "topics"],
            service => Assert.All(Labels(compose.At($"services/{service}/environment")!).Where(option => option.Name != "<<"), option =>
                Assert.Contains(option.Name, Names)));
    }

    private static IEnumerable<(string Name, string Value)> Labels(YamlNode map) =>
        ((YamlMappingNode)map).Children.Select(pair => (((YamlScalarNode)pair.Key).Value!, pair.Value.ToString())).Order();

    private static Dictionary<string, string> Environment(IEnumerable<YamlNode> variables) =>
        variables.ToDictionary(variable => variable.TextAt("name"), variable => variable.At("value") is YamlScalarNode value ? value.Value! : "");

    // What comes from secrets and fields is checked at the start of the program; the rest here, by the program's own rules.
    private static EstatOptions Bind(Dictionary<string, string> environment)
    {
        IEnumerable<KeyValuePair<string, string?>> named = environment.Where(pair => pair.Value.Length > 0)
            .Select(pair => new KeyValuePair<string, string?>(pair.Key, pair.Value));
        return environment.ContainsKey("ROLE") ? OptionTable.BindCluster([], named.Append(new("ADVERTISED_IP", "10.0.0.1")), "/none/appsettings.json")
            : OptionTable.Bind([], named, "/none/appsettings.json");
    }
}
