// One real S3 for all tests of this assembly, started by the first that needs it.
[assembly: AssemblyFixture(typeof(Estat.Tests.Support.S3Gateway))]

namespace Estat.Tests.Support;

/// <summary>Hands out the gateway, or skips the test where this machine has none.</summary>
public sealed class S3Gateway : IAsyncDisposable
{
    private readonly Lazy<Task<CephRgw>> _gateway = new(StartAsync);

    /// <summary>The gateway. Tests that stop it or suspend its user start one of their own instead: <see cref="StartAsync"/>.</summary>
    public Task<CephRgw> SharedAsync() => _gateway.Value;

    /// <summary>Starts a gateway whose credentials are those that the process' environment gives to every client.</summary>
    public static async Task<CephRgw> StartAsync()
    {
        Assert.SkipUnless(CephRgw.Available(out string reason), reason);
        CephRgw gateway = await CephRgw.StartAsync();
        Environment.SetEnvironmentVariable("AWS_ACCESS_KEY_ID", gateway.AccessKey);
        Environment.SetEnvironmentVariable("AWS_SECRET_ACCESS_KEY", gateway.SecretKey);
        Environment.SetEnvironmentVariable("AWS_EC2_METADATA_DISABLED", "true");
        return gateway;
    }

    public async ValueTask DisposeAsync()
    {
        if (_gateway.IsValueCreated && _gateway.Value.IsCompletedSuccessfully)
        {
            await (await _gateway.Value).DisposeAsync();
        }
    }
}
