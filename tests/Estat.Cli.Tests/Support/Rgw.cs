// One real S3 for all tests of the command line.
using Estat.Testing;

namespace Estat.Cli.Tests.Support;

/// <summary>Started by the first test that asks; each takes a bucket of its own.</summary>
public sealed class Rgw : IAsyncLifetime
{
    private CephRgw? _rgw;

    /// <summary>The gateway.</summary>
    public CephRgw Gateway => _rgw ?? throw new InvalidOperationException("it was not started");

    /// <summary>What a server, or a check, is told to use a bucket.</summary>
    public Dictionary<string, string> EnvironmentFor(string bucket, TempFolder folder) => new()
    {
        ["RAW_BUCKET"] = bucket,
        ["S3_ENDPOINT"] = Gateway.Endpoint,
        ["AWS_REGION"] = "us-east-1",
        ["AWS_ACCESS_KEY_ID"] = Gateway.AccessKey,
        ["AWS_SECRET_ACCESS_KEY"] = Gateway.SecretKey,
        ["SPOOL_DIR"] = folder["spool"],
        ["DLQ_DIR"] = folder["dlq"],
        // Temporary folders are on a tmpfs here and there.
        ["SPOOL_VOLATILE"] = "true",
        ["DISK_MIN_FREE_BYTES"] = "1000000",
        ["HTTP_ADDR"] = $"127.0.0.1:{FreePort.Next()}",
    };

    public async ValueTask InitializeAsync()
    {
        if (CephRgw.Available(out _))
        {
            _rgw = await CephRgw.StartAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_rgw is not null)
        {
            await _rgw.DisposeAsync();
        }
    }

    /// <summary>Skips the test where there is no S3.</summary>
    public void OrSkip()
    {
        CephRgw.Available(out string reason);
        Assert.SkipWhen(_rgw is null, reason);
    }
}

/// <summary>Tests in it run one after another: some take the gateway away.</summary>
[CollectionDefinition(Name)]
public sealed class RgwTests : ICollectionFixture<Rgw>
{
    public const string Name = "Rgw";
}
