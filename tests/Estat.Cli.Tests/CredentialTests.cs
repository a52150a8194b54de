// Every link of AWS' credential chain, in every program: against a stand-in for what gives the credentials.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests;

public sealed class CredentialTests : IAsyncLifetime
{
    private const string Role = "arn:aws:iam::123456789012:role/estat";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();
    private AwsStandIn _aws = null!;

    public async ValueTask InitializeAsync()
    {
        _aws = await AwsStandIn.StartAsync();
        Directory.CreateDirectory(_folder["home/.aws/sso/cache"]);
        await File.WriteAllTextAsync(_folder["token"], "a web identity token");
        await File.WriteAllTextAsync(_folder["home/.aws/config"], $$"""
            [profile keys]
            aws_access_key_id = AKIAProfile
            aws_secret_access_key = s
            [profile role]
            role_arn = {{Role}}
            source_profile = keys
            [profile role-of-environment]
            role_arn = {{Role}}
            credential_source = Environment
            [profile role-of-container]
            role_arn = {{Role}}
            credential_source = EcsContainer
            [profile web]
            role_arn = {{Role}}
            web_identity_token_file = {{_folder["token"]}}
            [profile process]
            credential_process = /bin/echo '{"Version":1,"AccessKeyId":"ASIAProcess","SecretAccessKey":"s","SessionToken":"t"}'
            [profile sso]
            sso_session = ours
            sso_account_id = 123456789012
            sso_role_name = Reader
            [profile sso-ended]
            sso_session = ended
            sso_account_id = 123456789012
            sso_role_name = Reader
            [profile sso-none]
            sso_session = none
            sso_account_id = 123456789012
            sso_role_name = Reader
            [profile login]
            login_session = arn:aws:sts::123456789012:assumed-role/x/y
            [sso-session ours]
            sso_region = eu-west-1
            sso_start_url = https://ours.awsapps.com/start
            [sso-session ended]
            sso_region = eu-west-1
            sso_start_url = https://ours.awsapps.com/start
            [sso-session none]
            sso_region = eu-west-1
            sso_start_url = https://ours.awsapps.com/start
            """);
        await WriteSessionAsync("ours", "2046-01-01T00:00:00Z");
        await WriteSessionAsync("ended", "2020-01-01T00:00:00Z");
    }

    public async ValueTask DisposeAsync()
    {
        await _aws.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [InlineData("", "the environment (AWS_ACCESS_KEY_ID)", "AKIAEnvironment", "AWS_ACCESS_KEY_ID=AKIAEnvironment", "AWS_SECRET_ACCESS_KEY=s")]
    [InlineData("", "a web identity token, by STS, for " + Role, "ASIAAssumeRoleWithWebIdentity",
        "AWS_WEB_IDENTITY_TOKEN_FILE=TOKEN", "AWS_ROLE_ARN=" + Role)]
    [InlineData("keys", "the profile keys", "AKIAProfile")]
    [InlineData("role", "the profile role, by STS, for " + Role, "ASIAAssumeRole")]
    [InlineData("role-of-container", "the profile role-of-container, by STS, for " + Role, "ASIAAssumeRole",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI=URL/container")]
    [InlineData("web", "a web identity token, by STS, for " + Role, "ASIAAssumeRoleWithWebIdentity")]
    [InlineData("process", "the profile process, by its credential_process", "ASIAProcess")]
    [InlineData("sso", "the profile sso, by IAM Identity Center, for role Reader of account 123456789012", "ASIASso")]
    [InlineData("sso-ended", "the profile sso-ended, by IAM Identity Center", "ASIASso")]
    [InlineData("", "the container's endpoint (ECS task role, EKS Pod Identity)", "ASIAContainer", "AWS_CONTAINER_CREDENTIALS_FULL_URI=URL/container",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=TOKEN")]
    [InlineData("", "the role of this EC2 instance", "ASIAInstance", "AWS_EC2_METADATA_DISABLED=false", "AWS_EC2_METADATA_SERVICE_ENDPOINT=URL")]
    public async Task Every_link_of_the_chain_gives_credentials_and_check_says_which_it_was(
        string profile, string words, string accessKey, params string[] variables)
    {
        (string verdict, string text) = (await CheckAsync(profile, variables))("credentials");
        Assert.Equal("Good", verdict);
        Assert.Contains($"from {words}", text, StringComparison.Ordinal);
        Assert.Equal([accessKey], _aws.Signers.Distinct());
    }

    [Theory]
    [InlineData("login", "logs in by aws login (login_session), which Estat does not support")]
    [InlineData("sso-none", "has no session of IAM Identity Center. Run aws sso login")]
    [InlineData("no-such-profile", "Unable to find the \"no-such-profile\" profile. Check AWS_PROFILE")]
    [InlineData("", "the web identity token cannot be read", "AWS_WEB_IDENTITY_TOKEN_FILE=/no/such/token", "AWS_ROLE_ARN=" + Role)]
    [InlineData("", "STS gives none (Not authorized to perform sts:AssumeRoleWithWebIdentity)", "AWS_WEB_IDENTITY_TOKEN_FILE=TOKEN",
        "AWS_ROLE_ARN=" + Role, "AWS_ENDPOINT_URL_STS=URL" + AwsStandIn.Refusing)]
    [InlineData("", "the container's or the instance's endpoint gives none", "AWS_CONTAINER_CREDENTIALS_FULL_URI=URL/none")]
    [InlineData("", "no AWS credentials were found. Set AWS_ACCESS_KEY_ID")]
    public async Task A_link_that_gives_none_says_why_in_one_line(string profile, string why, params string[] variables)
    {
        Func<string, (string Verdict, string Text)> findings = await CheckAsync(profile, variables);
        foreach (string check in new[] { "credentials", "bucket" })
        {
            (string verdict, string text) = findings(check);
            Assert.Equal("Bad", verdict);
            Assert.Contains(why, text, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', text);
        }
    }

    [Fact]
    public async Task STS_is_asked_in_the_region_of_the_options()
    {
        Dictionary<string, string> environment = EnvironmentFor("", [$"AWS_WEB_IDENTITY_TOKEN_FILE={_folder["token"]}", "AWS_ROLE_ARN=" + Role]);
        environment.Remove("AWS_ENDPOINT_URL_STS");
        environment.Remove("AWS_REGION");
        environment["HTTPS_PROXY"] = _aws.Url;
        environment["NO_PROXY"] = "127.0.0.1";
        await EstatCommand.RunAsync(environment, "check", "--AWS_REGION=eu-central-1");
        Assert.Equal(["sts.eu-central-1.amazonaws.com:443"], _aws.Tunnels.Distinct());
    }

    [Fact]
    public async Task The_server_itself_takes_a_role_s_credentials()
    {
        Dictionary<string, string> environment = EnvironmentFor("", [$"AWS_WEB_IDENTITY_TOKEN_FILE={_folder["token"]}", "AWS_ROLE_ARN=" + Role]);
        environment.Remove("HTTP_ADDR");
        await using ServerProcess server = await ServerProcess.StartAsync(environment);
        await Wait.UntilAsync(async () =>
        {
            // asks the bucket; on a busy machine again
            using HttpResponseMessage sink = await server.Client.GetAsync(new Uri("/health/sink", UriKind.Relative));
            return _aws.Signers.Count > 0;
        }, Limit, "the server to ask for its bucket", () => string.Join('\n', server.Output));
        Assert.Equal(["ASIAAssumeRoleWithWebIdentity"], _aws.Signers.Distinct());
    }

    [Fact]
    public async Task A_silo_asks_the_cluster_s_table_with_a_role_s_credentials()
    {
        Assert.SkipUnless(MembershipStore.IsBuilt(MembershipStore.DynamoDb, out string reason), reason);
        Dictionary<string, string> environment = EnvironmentFor("", [$"AWS_WEB_IDENTITY_TOKEN_FILE={_folder["token"]}", "AWS_ROLE_ARN=" + Role]);
        environment.Remove("HTTP_ADDR");
        environment["AWS_ENDPOINT_URL_DYNAMODB"] = _aws.Url;
        environment["CLUSTERING"] = "dynamodb";
        environment["SILO_ADDR"] = $"127.0.0.1:{FreePort.Next()}";
        environment["SILO_CLIENT_ADDR"] = $"127.0.0.1:{FreePort.Next()}";
        await using ServerProcess silo = ServerProcess.LaunchProject("Estat.Silo", "a silo", environment);
        await Wait.UntilAsync(() => _aws.Members.Count > 0, Limit, "the silo to ask for its table", () => string.Join('\n', silo.Output));
        Assert.Equal(["ASIAAssumeRoleWithWebIdentity"], _aws.Members.Distinct());
    }

    [Theory]
    [InlineData("Estat.Api")]
    [InlineData("Estat.Cli")]
    [InlineData("Estat.Silo")]
    public void Every_program_s_folder_holds_what_the_chain_loads_by_name(string project)
    {
        // Tests build what they need: the silo is there when its own tests, or the whole solution, were built.
        string folder = FolderOf(project);
        Assert.SkipUnless(Directory.Exists(folder), $"{project} is not built");
        string program = project == "Estat.Cli" ? "estat" : project;
        string listed = File.ReadAllText(Path.Combine(folder, $"{program}.deps.json"));
        foreach (string assembly in new[] { "AWSSDK.SecurityToken", "AWSSDK.SSO", "AWSSDK.SSOOIDC" })
        {
            Assert.True(File.Exists(Path.Combine(folder, $"{assembly}.dll")), $"{assembly}.dll is not beside {program}.dll");
            Assert.Contains($"{assembly}.dll", listed, StringComparison.Ordinal);
        }
    }

    private static string FolderOf(string project) => Path.Combine(Repository.Root, "artifacts", "bin", project, Repository.Configuration);

    private async Task<Func<string, (string Verdict, string Text)>> CheckAsync(string profile, string[] variables)
    {
        (_, string output) = await EstatCommand.RunAsync(EnvironmentFor(profile, variables), "check", "--json");
        string? json = output.Split('\n').FirstOrDefault(line => line.StartsWith('{'));
        Assert.True(json is not null, output);
        JsonElement[] findings = [.. JsonDocument.Parse(json).RootElement.GetProperty("findings").EnumerateArray()];
        return check =>
        {
            JsonElement finding = findings.First(found => found.GetProperty("check").GetString() == check);
            return (finding.GetProperty("verdict").GetString()!, finding.GetProperty("text").GetString()!);
        };
    }

    private Dictionary<string, string> EnvironmentFor(string profile, string[] variables)
    {
        var environment = new Dictionary<string, string>
        {
            ["HOME"] = _folder["home"], ["RAW_BUCKET"] = AwsStandIn.Bucket, ["S3_ENDPOINT"] = _aws.Url, ["AWS_REGION"] = "eu-west-1",
            ["AWS_ENDPOINT_URL_STS"] = _aws.Url, ["AWS_ENDPOINT_URL_SSO"] = _aws.Url, ["AWS_ENDPOINT_URL_SSO_OIDC"] = _aws.Url,
            ["SPOOL_DIR"] = _folder["spool"], ["DLQ_DIR"] = _folder["dlq"], ["SPOOL_VOLATILE"] = "true", ["DISK_MIN_FREE_BYTES"] = "1000000",
            ["HTTP_ADDR"] = $"127.0.0.1:{FreePort.Next()}", ["S3_TIMEOUT"] = "30s", // a busy machine takes its time for the first answer
        };
        if (profile.Length > 0)
        {
            environment["AWS_PROFILE"] = profile;
        }

        foreach (string variable in variables)
        {
            string[] parts = variable.Split('=', 2);
            environment[parts[0]] = parts[1] == "TOKEN" ? _folder["token"]
                : parts[1].Replace("URL/", _aws.Url + "/", StringComparison.Ordinal).Replace("URL", _aws.Url, StringComparison.Ordinal);
        }

        return environment;
    }

    // As `aws sso login` leaves it: the file's name is the SHA-1 of the session's.
    private Task WriteSessionAsync(string session, string until)
    {
#pragma warning disable CA5350 // AWS' own naming
        string name = Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(session)));
#pragma warning restore CA5350
        return File.WriteAllTextAsync(_folder[$"home/.aws/sso/cache/{name}.json"], string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"startUrl":"https://ours.awsapps.com/start","region":"eu-west-1","accessToken":"a","expiresAt":"{{until}}","clientId":"c","clientSecret":"s","registrationExpiresAt":"2046-01-01T00:00:00Z","refreshToken":"r"}"""));
    }
}
