// What stands in AWS' place for credentials: STS, IAM Identity Center, a container's endpoint, an instance's metadata, and an S3 that notes who asks.
using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace Estat.Cli.Tests.Support;

/// <summary>Each source of credentials gives an access key of its own, so that a signed request tells which one was used.</summary>
internal sealed partial class AwsStandIn : IAsyncDisposable
{
    internal const string Bucket = "stand-in";

    /// <summary>An STS that refuses.</summary>
    internal const string Refusing = "/refusing/";

    private readonly ConcurrentQueue<string> _signers = new();
    private readonly ConcurrentQueue<string> _members = new();
    private readonly ConcurrentQueue<string> _tunnels = new();
    private FakeNode? _node;

    internal string Url => _node!.Url;

    /// <summary>Access keys that requests to the bucket were signed with.</summary>
    internal IReadOnlyCollection<string> Signers => _signers;

    /// <summary>Access keys that requests to DynamoDB were signed with.</summary>
    internal IReadOnlyCollection<string> Members => _members;

    /// <summary>Hosts that were asked for through this as a proxy; none is connected to.</summary>
    internal IReadOnlyCollection<string> Tunnels => _tunnels;

    internal static async Task<AwsStandIn> StartAsync()
    {
        var standIn = new AwsStandIn();
        standIn._node = await FakeNode.StartAsync(standIn.AnswerAsync);
        return standIn;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _node!.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        using var reader = new StreamReader(request.Body);
        string body = await reader.ReadToEndAsync();
        string path = request.Path.Value ?? "";
        if (request.Method == "CONNECT")
        {
            _tunnels.Enqueue(request.Host.Value ?? "");
            context.Response.StatusCode = StatusCodes.Status502BadGateway;
        }
        else if (path.StartsWith($"/{Bucket}", StringComparison.Ordinal))
        {
            if (Signer().Match(request.Headers.Authorization.ToString()) is { Success: true } signed)
            {
                _signers.Enqueue(signed.Groups[1].Value);
            }

            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            await context.Response.WriteAsync("<Error><Code>AccessDenied</Code><Message>seen</Message></Error>");
        }
        else if (request.Headers["X-Amz-Target"].ToString().StartsWith("DynamoDB_", StringComparison.Ordinal))
        {
            _members.Enqueue(Signer().Match(request.Headers.Authorization.ToString()).Groups[1].Value);
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync("""{"__type":"com.amazon.coral.service#AccessDeniedException","message":"seen"}""");
        }
        else if (path == Refusing)
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            await context.Response.WriteAsync(
                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not authorized to perform "
                + "sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>");
        }
        else if (body.Contains("Action=AssumeRole", StringComparison.Ordinal))
        {
            string action = body.Contains("WebIdentity", StringComparison.Ordinal) ? "AssumeRoleWithWebIdentity" : "AssumeRole";
            context.Response.ContentType = "text/xml";
            await context.Response.WriteAsync(
                $"<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>"
                + "<AssumedRoleUser><Arn>arn:aws:sts::1:assumed-role/r/s</Arn><AssumedRoleId>A:s</AssumedRoleId></AssumedRoleUser>"
                + $"<Credentials><AccessKeyId>ASIA{action}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
                + $"<Expiration>2046-01-01T00:00:00Z</Expiration></Credentials></{action}Result></{action}Response>");
        }
        else if (OfJson(path) is { } json)
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(json);
        }
        else if (path == "/latest/api/token")
        {
            context.Response.Headers["x-aws-ec2-metadata-token-ttl-seconds"] = "21600";
            await context.Response.WriteAsync("token");
        }
        else if (path.TrimEnd('/').EndsWith("/iam/security-credentials", StringComparison.Ordinal))
        {
            await context.Response.WriteAsync("estat");
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
        }
    }

    private static string? OfJson(string path) => path switch
    {
        "/federation/credentials" =>
            """{"roleCredentials":{"accessKeyId":"ASIASso","secretAccessKey":"s","sessionToken":"t","expiration":2398377600000}}""",
        "/token" => """{"accessToken":"renewed","expiresIn":28800,"tokenType":"Bearer","refreshToken":"r2"}""",
        "/container" => """{"AccessKeyId":"ASIAContainer","SecretAccessKey":"s","Token":"t","Expiration":"2046-01-01T00:00:00Z"}""",
        _ when path.EndsWith("/iam/security-credentials/estat", StringComparison.Ordinal) =>
            """{"Code":"Success","LastUpdated":"2026-01-01T00:00:00Z","Type":"AWS-HMAC","AccessKeyId":"ASIAInstance","SecretAccessKey":"s","Token":"t","Expiration":"2046-01-01T00:00:00Z"}""",
        _ => null,
    };

    [GeneratedRegex("Credential=([^/]+)/")]
    private static partial Regex Signer();
}
