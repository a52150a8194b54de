// SIGTERM ends a silo and a gateway within SHUTDOWN_TIMEOUT, whatever hangs under them. The standalone server has the same table.
using System.Globalization;

namespace Estat.Cluster.Tests.Stopping;

/// <summary>Each row is a process that is really stuck in something. The exit code is the drain's.</summary>
public sealed class StoppingTests : IAsyncLifetime
{
    private const string Program = "Estat.Silo";
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(120);
    private readonly TempFolder _folder = new();
    private readonly string _siloClientAddr = Address();
    private ServerProcess? _silo;

    [Theory]
    [InlineData("both", "disk", 1)] // the last flush came to nothing, and nobody was told that it had
    [InlineData("both", "store", 0)]
    [InlineData("silo", "membership", 0)]
    [InlineData("gateway", "membership", 0)]
    [InlineData("gateway", "a silo", 0)]
    [InlineData("gateway", "key file", 0)]
    [InlineData("gateway", "client", 0)]
    public async Task SIGTERM_ends_a_node_within_SHUTDOWN_TIMEOUT_whatever_hangs(string role, string what, int exitCode)
    {
        await using Hang hang = what switch
        {
            "disk" => new DiskHang(),
            "store" => new StoreHang(),
            "membership" => new MembershipHang(fromStart: false),
            "a silo" => new SiloHang(() => _silo!),
            "key file" => new KeyFileHang(isPipe: true),
            _ => new ClientHang(HangingClient.Body),
        };
        Assert.SkipWhen(hang.Missing is not null, hang.Missing ?? "");

        (int code, string output) = await Estat.Testing.Stopping.RunAsync(hang, Options(), environment => Launch(role, environment));

        Assert.True(exitCode == code, $"ended with {code}: {output}");
    }

    [Theory]
    [InlineData("silo")]
    [InlineData("gateway")]
    public async Task SIGTERM_ends_a_node_that_waits_for_a_membership_table_that_hangs(string role)
    {
        await using var hang = new MembershipHang(fromStart: true);
        Assert.SkipWhen(hang.Missing is not null, hang.Missing ?? "");
        Dictionary<string, string> options = Options();
        options["SHUTDOWN_TIMEOUT"] = "5s";
        await hang.PrepareAsync(options);
        await using ServerProcess node = Start(role, options, "node");
        await hang.BeginAsync(node);
        await Wait.UntilAsync(() => role == "silo" || node.Output.Count > 0, ReadyLimit, "the gateway to listen");

        node.Terminate();

        Assert.Equal(0, await node.WaitForExitAsync(TimeSpan.FromSeconds(8))); // and what a supervisor adds
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_silo is not null)
        {
            _silo.Kill();
            await _silo.DisposeAsync();
        }

        _folder.Dispose();
    }

    // A gateway has a silo behind it.
    private ServerProcess Launch(string role, IReadOnlyDictionary<string, string> environment)
    {
        if (role == "gateway")
        {
            _silo = Start("silo", environment, "silo");
            _silo.UntilReadyAsync(ReadyLimit).GetAwaiter().GetResult();
        }

        return Start(role, environment, "node");
    }

    private ServerProcess Start(string role, IReadOnlyDictionary<string, string> environment, string name) => ServerProcess.LaunchProject(
        Program, name, new Dictionary<string, string>(environment)
        {
            ["ROLE"] = role,
            ["SILO_ADDR"] = Address(),
            ["SILO_CLIENT_ADDR"] = _siloClientAddr,
            ["SPOOL_DIR"] = _folder[name + "/spool"],
            ["DLQ_DIR"] = _folder[name + "/dlq"],
        });

    private Dictionary<string, string> Options() => new()
    {
        ["CLUSTER_ID"] = Path.GetFileName(_folder.Path), ["STORAGE_DIR"] = _folder["data"], ["SPOOL_VOLATILE"] = "true",
    };

    private static string Address() => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{FreePort.Next()}");
}
