// A silo's process without the process: its own host, ports and listener, inside the test.
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Http.Options;
using Estat.Silo.Hosting;

namespace Estat.Cluster.Tests.Support;

/// <summary>One start of a silo; another one over the same folder and ports is its restart.</summary>
internal sealed class RunningSilo : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private RunningSilo(EstatOptions options, TimeProvider time)
    {
        Options = options;
        Server = new SiloServer(options, time, isTerminal: false);
    }

    internal EstatOptions Options { get; }

    internal SiloServer Server { get; }

    internal string Instance => Server.Engine.Instance;

    /// <summary>Whether it has left.</summary>
    internal bool HasLeft { get; private set; }

    /// <summary>Options of a silo in a folder, at ports that are free.</summary>
    internal static EstatOptions OptionsIn(TempFolder folder, string name, Func<ClusterOptions, ClusterOptions>? configure = null)
    {
        var cluster = new ClusterOptions
        {
            ClusterId = Path.GetFileName(folder.Path),
            SiloAddr = new ListenAddress(System.Net.IPAddress.Loopback, FreePort.Next()),
            SiloClientAddr = [new ListenAddress(System.Net.IPAddress.Loopback, FreePort.Next())],
            SiloTimeout = TimeSpan.FromSeconds(10), // a busy machine is not what these tests are about
        };
        return new EstatOptions
        {
            Cluster = configure?.Invoke(cluster) ?? cluster,
            Http = new() { HttpAddr = "127.0.0.1:0" },
            Node = new() { LogLevel = "critical" },
            Collect = new()
            {
                SpoolDir = folder[name + "/spool"],
                DlqDir = folder[name + "/dlq"],
                Partitions = 1,
                ChannelSize = 100_000,
                FlushInterval = TimeSpan.FromHours(1),
                Storage = new() { StorageDir = folder["data"] },
            },
        };
    }

    internal static async Task<RunningSilo> StartAsync(EstatOptions options, TimeProvider? time = null)
    {
        var silo = new RunningSilo(options, time ?? TimeProvider.System);
        try
        {
            await silo.Server.StartAsync().WaitAsync(Limit);
            return silo;
        }
        catch
        {
            await silo.Server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops it as a signal does, and frees its folder and ports.</summary>
    internal async Task StopAsync()
    {
        HasLeft = true;
        Server.Signals.Stop("the test");
        Assert.Equal(0, await Server.RunAsync().WaitAsync(Limit));
        await Server.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!HasLeft)
        {
            await StopAsync();
        }
    }
}
