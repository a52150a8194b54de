// A silo that hangs: it holds its connections and answers nothing.

namespace Estat.Testing;

/// <summary>A gateway waits for its answer.</summary>
/// <param name="silo">The only silo that the gateway knows, once it runs.</param>
public sealed class SiloHang(Func<ServerProcess> silo) : Hang
{
    private const int SigStop = 19;
    private const int SigCont = 18;

    /// <inheritdoc/>
    public override Task PrepareAsync(IDictionary<string, string> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options["SILO_TIMEOUT"] = "1m";
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override async Task BeginAsync(ServerProcess server)
    {
        ArgumentNullException.ThrowIfNull(server);
        silo().Signal(SigStop);
        using var connection = await OpenRequest.SendAsync(server, "POST /collect HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nevent");
        await Wait.UntilAsync(
            async () => (await server.MetricsAsync()).GetValueOrDefault("estat_forward_calls_in_flight") > 0, Limit,
            "a call to the silo to be in flight");
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        silo().Signal(SigCont);
        return base.DisposeAsync();
    }
}
