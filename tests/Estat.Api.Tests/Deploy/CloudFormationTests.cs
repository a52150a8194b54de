// The templates of deploy/aws: cfn-lint takes them, the API leads to the public paths and no further, and each alarm says what to do.
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Estat.Testing;
using YamlDotNet.RepresentationModel;

namespace Estat.Api.Tests.Deploy;

public sealed partial class CloudFormationTests
{
    private const string Data = "deploy/aws/data.yaml";
    private const string Service = "deploy/aws/service.yaml";
    private const string Watch = "deploy/aws/watch.yaml";
    private const string Page = "deploy/aws/README.md";
    private const int NoTool = 3;
    private const string Stage = "v1";
    private static readonly string[] InTransactions = ["ConditionCheckItem", "DeleteItem", "PutItem", "UpdateItem"];
    private static readonly string[] Inside = ["/admin", "/console", "/tail", "/metrics", "/health", "/orleans"];

    [Fact]
    public async Task Cfn_lint_finds_nothing_and_the_API_s_deployments_are_new_when_the_API_is()
    {
        CommandResult check = await Command.RunAsync(TimeSpan.FromSeconds(400), Path.Combine(Repository.Root, "scripts/check-aws.sh"));
        Assert.SkipWhen(check.ExitCode == NoTool, check.Output);
        Assert.True(check.ExitCode == 0, check.Output);
    }

    [Fact]
    public void The_API_has_the_public_paths_of_openapi_json_and_no_path_of_the_operator()
    {
        string[] paths = [.. Methods().Select(method => PathOf(method.TextAt("Properties/ResourceId"))).Distinct()];

        Assert.Equal(PublicPaths().Order(StringComparer.Ordinal), paths.Order(StringComparer.Ordinal));
        Assert.DoesNotContain(paths, path => Inside.Any(inside => path.StartsWith(inside, StringComparison.OrdinalIgnoreCase)));
        Assert.DoesNotContain(OfType(Service, "AWS::ApiGateway::Resource").Select(resource => resource.Value.TextAt("Properties/PathPart")),
            part => part.Contains('+', StringComparison.Ordinal)); // {proxy+} would take any path
    }

    [Fact]
    public void Each_method_leads_to_its_own_path_over_the_VPC_link_names_the_client_and_waits_longer_than_Prefer()
    {
        Assert.NotEmpty(Methods());
        Assert.All(Methods(), method =>
        {
            YamlNode integration = method.At("Properties/Integration")!;
            string path = PathOf(method.TextAt("Properties/ResourceId"));
            Assert.Equal("http://${Balancer.DNSName}" + path, integration.TextAt("Uri"));
            Assert.Equal(("HTTP_PROXY", "VPC_LINK", "VpcLink"),
                (integration.TextAt("Type"), integration.TextAt("ConnectionType"), integration.TextAt("ConnectionId")));
            Assert.Equal("context.identity.sourceIp", integration.TextAt("RequestParameters/integration.request.header.X-Forwarded-For"));
            Assert.InRange(int.Parse(integration.TextAt("TimeoutInMillis"), CultureInfo.InvariantCulture), 26_000, 29_000);
            foreach (Match variable in Variable().Matches(path))
            {
                Assert.Equal($"method.request.path.{variable.Groups[1].Value}",
                    integration.TextAt($"RequestParameters/integration.request.path.{variable.Groups[1].Value}"));
            }
        });
    }

    [Theory]
    [InlineData("/me/requests", true)]
    [InlineData("/requests/7c9e6679-7425-80de-944b-e07fc1f90ae7", true)]
    [InlineData("/campaigns/sale/requests", true)]
    [InlineData("/campaigns/2026.sale_a~b/draw/requests", true)]
    [InlineData("/campaigns/2026%7Esale", true)]
    [InlineData("/requests/..%2Fmetrics", false)]
    [InlineData("/requests/%2e%2e%2fadmin%2frequests", false)]
    [InlineData("/requests/..%252Fmetrics", false)]
    [InlineData("/campaigns/..%2Fadmin", false)]
    [InlineData("/campaigns/..%2Fadmin%2Fcampaigns%2Fsale/draw", false)]
    [InlineData("/campaigns/sale%2F..%2F..%2Fmetrics", false)]
    [InlineData("/campaigns/sale/requests/../../../metrics", false)]
    [InlineData("/metrics", false)]
    [InlineData("/admin/campaigns", false)]
    [InlineData("/ADMIN/campaigns", false)]
    [InlineData("/me/requests\n/metrics", false)]
    public void The_WAF_lets_public_paths_in_and_no_id_that_leads_out_of_them(string path, bool passes)
    {
        YamlNode rule = Assert.Single(OfType(Service, "AWS::WAFv2::WebACL")).Value.Items("Properties/Rules")
            .Single(rule => rule.At("Name") is YamlScalarNode { Value: "PublicPathsOnly" });
        YamlNode match = rule.At("Statement/NotStatement/Statement/RegexMatchStatement")!;
        Assert.NotNull(rule.At("Action/Block"));
        Assert.Equal("URL_DECODE", Assert.Single(match.Items("TextTransformations")).TextAt("Type"));
        string expression = match.TextAt("RegexString").Replace("${StageName}", Stage, StringComparison.Ordinal);

        // At the end of a text, "$" of .NET and of others takes a line feed that stands there too; nothing can follow that.
        Assert.All(["", "/" + Stage], prefix => Assert.Equal(passes, Regex.IsMatch(Uri.UnescapeDataString(prefix + path), expression)));
    }

    [Fact]
    public void Every_public_path_passes_the_WAF() => Assert.All(PublicPaths(), path =>
        The_WAF_lets_public_paths_in_and_no_id_that_leads_out_of_them(
            path.Replace("{campaignId}", "sale", StringComparison.Ordinal)
                .Replace("{requestId}", "7c9e6679-7425-80de-944b-e07fc1f90ae7", StringComparison.Ordinal),
            passes: true));

    [Fact]
    public void Data_outlives_its_stack_and_no_update_may_replace_it()
    {
        string[] kept = ["Table", "DeadLetters", "Bucket"];
        Dictionary<string, YamlNode> resources = Resources(Data);
        Assert.All(kept, name => Assert.Equal(
            ("Retain", "Retain"), (resources[name].TextAt("DeletionPolicy"), resources[name].TextAt("UpdateReplacePolicy"))));
        using var policy = JsonDocument.Parse(DeployFiles.Text("deploy/aws/data-stack-policy.json"));
        JsonElement denied = policy.RootElement.GetProperty("Statement").EnumerateArray()
            .Single(statement => statement.GetProperty("Effect").GetString() == "Deny");
        Assert.Equal(kept.Select(name => $"LogicalResourceId/{name}"),
            denied.GetProperty("Resource").EnumerateArray().Select(resource => resource.GetString()!));
    }

    [Fact]
    public void The_table_has_the_keys_of_the_one_that_the_program_makes_and_no_index()
    {
        YamlNode table = Resources(Data)["Table"].At("Properties")!;
        string program = DeployFiles.Text("src/Estat.Requests.Aws/Dynamo/Item.cs");
        Assert.Equal([("pk", "HASH"), ("sk", "RANGE")],
            table.Items("KeySchema").Select(key => (key.TextAt("AttributeName"), key.TextAt("KeyType"))));
        Assert.Equal([("pk", "S"), ("sk", "S")],
            table.Items("AttributeDefinitions").Select(attribute => (attribute.TextAt("AttributeName"), attribute.TextAt("AttributeType"))));
        Assert.All(["pk", "sk"], name => Assert.Contains($"= \"{name}\";", program, StringComparison.Ordinal));
        Assert.All(["GlobalSecondaryIndexes", "LocalSecondaryIndexes", "StreamSpecification", "TimeToLiveSpecification"],
            name => Assert.Null(table.At(name)));
    }

    [Fact]
    public void The_node_may_do_what_the_program_does_and_no_more()
    {
        string[] calls = [.. Calls().Matches(DeployFiles.Text("src/Estat.Requests.Aws/Dynamo/DynamoTable.cs")).Select(call => call.Groups[1].Value)];
        Assert.Contains("TransactWriteItems", calls);
        Assert.Equal(["SendMessageBatch"], Calls().Matches(DeployFiles.Text("src/Estat.Requests.Aws/DeadLetters/DeadLetterQueue.cs"))
            .Select(call => call.Groups[1].Value)); // which needs the right of SendMessage
        string[] needed = [.. calls.SelectMany(call => call switch
            {
                "TransactWriteItems" => InTransactions,
                "Scan" => [], // of tests, which count what is in the table
                _ => [call],
            })
            .Distinct().Select(call => $"dynamodb:{call}").Append("sqs:SendMessage").Order(StringComparer.Ordinal)];

        string[] allowed = [.. Resources(Service)["NodeRole"].Items("Properties/Policies")
            .SelectMany(policy => policy.Items("PolicyDocument/Statement")).OfType<YamlMappingNode>()
            .SelectMany(statement => statement.Items("Action")).Select(action => ((YamlScalarNode)action).Value!)
            .Where(action => action.StartsWith("dynamodb:", StringComparison.Ordinal) || action.StartsWith("sqs:", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)];

        Assert.Equal(needed, allowed);
        using var policy = JsonDocument.Parse(DeployFiles.Text("deploy/ecs/requests-policy.json"));
        Assert.Equal(needed, policy.RootElement.GetProperty("Statement").EnumerateArray()
            .SelectMany(statement => statement.GetProperty("Action").EnumerateArray().Select(action => action.GetString()!))
            .Where(action => !action.StartsWith("s3:", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("NodeRole")]
    [InlineData("ExecutionRole")]
    public void Roles_are_allowed_named_things_only(string role)
    {
        YamlNode[] statements = [.. Resources(Service)[role].Items("Properties/Policies")
            .SelectMany(policy => policy.Items("PolicyDocument/Statement"))
            .Select(statement => statement is YamlSequenceNode either ? either.Children[1] : statement)]; // !If: what holds if it does
        Assert.NotEmpty(statements);
        Assert.All(statements, statement =>
        {
            string[] actions = [.. statement.Items("Action").Select(action => ((YamlScalarNode)action).Value!)];
            Assert.NotEmpty(actions);
            Assert.DoesNotContain(actions, action => action.Contains('*', StringComparison.Ordinal));
            Assert.NotEmpty(statement.Items("Resource"));
            Assert.All(statement.Items("Resource"), resource =>
                Assert.True(resource is not YamlScalarNode { Value: "*" } || actions is ["ecr:GetAuthorizationToken"],
                    $"{string.Join(", ", actions)} on everything"));
        });
    }

    [Fact]
    public void The_task_holds_what_Fargate_needs_and_leaves_time_for_a_drain()
    {
        YamlNode task = Assert.Single(OfType(Service, "AWS::ECS::TaskDefinition")).Value.At("Properties")!;
        YamlNode node = task.Items("ContainerDefinitions").Single(container => container.TextAt("Essential") == "true");
        Dictionary<string, string> environment = node.Items("Environment")
            .ToDictionary(variable => variable.TextAt("Name"), variable => variable.At("Value") is YamlScalarNode value ? value.Value! : "");

        Assert.Equal(("1654", "true"), (node.TextAt("User"), node.TextAt("ReadonlyRootFilesystem")));
        Assert.Equal("ALL", ((YamlScalarNode)Assert.Single(node.Items("LinuxParameters/Capabilities/Drop"))).Value);
        Assert.True(int.Parse(node.TextAt("StopTimeout"), CultureInfo.InvariantCulture) >
            int.Parse(environment["SHUTDOWN_TIMEOUT"].TrimEnd('s'), CultureInfo.InvariantCulture), "a drain must not be killed");
        Assert.Equal($":{Assert.Single(node.Items("PortMappings")).TextAt("ContainerPort")}", environment["HTTP_ADDR"]);
        Assert.DoesNotContain("ADMIN_TOKEN", environment.Keys);
        Assert.Equal("ADMIN_TOKEN", Assert.Single(node.Items("Secrets")).TextAt("Name"));
        Assert.DoesNotContain(environment.Keys, name => name.EndsWith("_ENDPOINT", StringComparison.Ordinal)); // of local runs
        Assert.Equal("/health", ((YamlScalarNode)node.Items("HealthCheck/Command").Last()).Value);
    }

    [Fact]
    public void The_task_names_options_of_the_READMEs_table() => Assert.Empty(Options().Except(Documented()));

    [Fact]
    public void Every_alarm_names_what_to_do_and_the_page_has_it()
    {
        IReadOnlySet<string> anchors = DeployFiles.Anchors(Page);
        KeyValuePair<string, YamlNode>[] alarms = [.. OfType(Watch, "AWS::CloudWatch::Alarm")];
        Assert.NotEmpty(alarms);
        Assert.All(alarms, alarm =>
        {
            string description = alarm.Value.TextAt("Properties/AlarmDescription");
            Assert.EndsWith($"See {Page}#{alarm.Key.ToLowerInvariant()}", description, StringComparison.Ordinal);
            Assert.Contains(description[(description.IndexOf('#', StringComparison.Ordinal) + 1)..], anchors);
        });
        Assert.All([Data, Service], file => Assert.Empty(OfType(file, "AWS::CloudWatch::Alarm")));
    }

    [Fact]
    public void The_dashboard_is_JSON_and_whole()
    {
        YamlNode body = Assert.Single(OfType(Watch, "AWS::CloudWatch::Dashboard")).Value.At("Properties/DashboardBody")!;
        var parts = (YamlSequenceNode)body;
        string[] known = [.. ((YamlMappingNode)parts.Children[1]).Children.Keys.Select(key => ((YamlScalarNode)key).Value!), "ServiceStackName"];
        string text = ((YamlScalarNode)parts.Children[0]).Value!;
        Assert.All(Substituted().Matches(text), match =>
            Assert.True(match.Groups[1].Value.StartsWith("AWS::", StringComparison.Ordinal) || known.Contains(match.Groups[1].Value), match.Value));

        using var dashboard = JsonDocument.Parse(text);
        JsonElement[] widgets = [.. dashboard.RootElement.GetProperty("widgets").EnumerateArray()];
        Assert.NotEmpty(widgets);
        Assert.All(widgets, widget => Assert.NotEmpty(widget.GetProperty("properties").GetProperty("metrics").EnumerateArray()));
        Assert.Equal(
            widgets.Length, widgets.Select(widget => (widget.GetProperty("x").GetInt32(), widget.GetProperty("y").GetInt32())).Distinct().Count());
    }

    [Theory]
    [InlineData(Service, Data, "DataStackName")]
    [InlineData(Watch, Data, "DataStackName")]
    [InlineData(Watch, Service, "ServiceStackName")]
    public void What_a_stack_imports_the_other_exports(string from, string of, string parameter)
    {
        string exports = DeployFiles.Text(of);
        string[] imported = [.. Imported().Matches(DeployFiles.Text(from)).Where(import => import.Groups[1].Value == parameter)
            .Select(import => import.Groups[2].Value).Distinct()];
        Assert.NotEmpty(imported);
        Assert.All(imported, name => Assert.Contains($"Export: {{ Name: !Sub \"${{AWS::StackName}}-{name}\" }}", exports, StringComparison.Ordinal));
    }

    private static Dictionary<string, YamlNode> Resources(string file) => ((YamlMappingNode)DeployFiles.Documents(file)[0].At("Resources")!).Children
        .ToDictionary(resource => ((YamlScalarNode)resource.Key).Value!, resource => resource.Value);

    private static IEnumerable<KeyValuePair<string, YamlNode>> OfType(string file, string type) =>
        Resources(file).Where(resource => resource.Value.TextAt("Type") == type);

    private static IEnumerable<YamlNode> Methods() => OfType(Service, "AWS::ApiGateway::Method").Select(method => method.Value);

    private static string[] Options()
    {
        YamlNode node = Assert.Single(OfType(Service, "AWS::ECS::TaskDefinition")).Value.Items("Properties/ContainerDefinitions")
            .Single(container => container.TextAt("Essential") == "true");
        string[] names = [.. node.Items("Environment").Concat(node.Items("Secrets")).Select(variable => variable.TextAt("Name"))];
        Assert.NotEmpty(names);
        return names;
    }

    private static string[] Documented() => [.. OptionRow().Matches(DeployFiles.Text("README.md")).Select(row => row.Groups[1].Value)];

    // The parts of a path, each of which names the one before it.
    private static string PathOf(string resource)
    {
        YamlNode at = Resources(Service)[resource];
        string parent = at.TextAt("Properties/ParentId");
        string part = "/" + at.TextAt("Properties/PathPart");
        return parent == "Api.RootResourceId" ? part : PathOf(parent) + part;
    }

    private static string[] PublicPaths()
    {
        using var page = JsonDocument.Parse(DeployFiles.Text("src/Estat.Requests/Http/openapi.json"));
        return [.. page.RootElement.GetProperty("paths").EnumerateObject().Select(path => path.Name)
            .Where(path => !Inside.Any(inside => path.StartsWith(inside, StringComparison.Ordinal)))];
    }

    [GeneratedRegex(@"_client\.(\w+)Async\(")]
    private static partial Regex Calls();

    [GeneratedRegex(@"^\|\s*`([A-Z][A-Z0-9_]+)`", RegexOptions.Multiline)]
    private static partial Regex OptionRow();

    [GeneratedRegex(@"\{(\w+)\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\$\{([^}]+)\}")]
    private static partial Regex Substituted();

    [GeneratedRegex(@"!ImportValue \{ ""Fn::Sub"": ""\$\{(\w+)\}-(\w+)"" \}")]
    private static partial Regex Imported();
}
