// The one RGW that this assembly's tests share, and what a server needs to use it.
using Estat.Testing;

[assembly: AssemblyFixture(typeof(Estat.Api.Tests.RealS3))]

namespace Estat.Api.Tests;

/// <summary>Starts with the first test of the assembly. Tests that stop it have one of their own, <see cref="OwnS3"/>.</summary>
public class RealS3 : IAsyncLifetime
{
    private CephRgw? _rgw;
    private string _missing = "";

    /// <summary>The gateway; skips the test where the machine has none.</summary>
    public CephRgw Rgw
    {
        get
        {
            Assert.SkipWhen(_rgw is null, _missing);
            return _rgw;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (CephRgw.Available(out _missing))
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

        GC.SuppressFinalize(this);
    }

    /// <summary>Options of a server that stores in this bucket, by way of another endpoint if one is given.</summary>
    public Dictionary<string, string> Options(string bucket, TempFolder folder, string? endpoint = null) => new()
    {
        ["RAW_BUCKET"] = bucket,
        ["S3_ENDPOINT"] = endpoint ?? Rgw.Endpoint,
        ["AWS_ACCESS_KEY_ID"] = Rgw.AccessKey,
        ["AWS_SECRET_ACCESS_KEY"] = Rgw.SecretKey,
        ["DLQ_DIR"] = folder["dlq"],
        ["SPOOL_DIR"] = folder["spool"],
        ["RECOVERY_INTERVAL"] = "100ms",
    };
}

/// <summary>One for a single class, whose tests stop it.</summary>
public sealed class OwnS3 : RealS3;
