// The one RGW that this assembly's tests share.
using Estat.Testing;

[assembly: AssemblyFixture(typeof(Estat.Console.Tests.RealS3))]

namespace Estat.Console.Tests;

/// <summary>Starts when it is first asked for. Whoever takes it away does so with a proxy of their own; only the walk stops a gateway, its
/// own.</summary>
public sealed class RealS3 : IAsyncDisposable
{
    private readonly Lazy<Task<CephRgw>> _rgw = new(() => CephRgw.StartAsync());

    /// <summary>The gateway; skips the test where the machine has none.</summary>
    public Task<CephRgw> Rgw
    {
        get
        {
            SkipWithout();
            return _rgw.Value;
        }
    }

    /// <summary>Skips the test where the machine has no RGW.</summary>
    public static void SkipWithout()
    {
        bool isThere = CephRgw.Available(out string reason);
        Assert.SkipUnless(isThere, reason);
    }

    public async ValueTask DisposeAsync()
    {
        if (_rgw.IsValueCreated)
        {
            await (await _rgw.Value).DisposeAsync();
        }
    }
}
