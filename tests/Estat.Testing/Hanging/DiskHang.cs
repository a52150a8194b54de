// A disk that hangs: flushes neither succeed nor fail.

namespace Estat.Testing;

/// <summary>An event waits for its flush, so that the spool's writer is stuck in it.</summary>
public sealed class DiskHang : Hang
{
    private HangingCalls? _calls;

    /// <inheritdoc/>
    public override string? Missing => HangingCalls.Missing;

    /// <inheritdoc/>
    public override async Task BeginAsync(ServerProcess server)
    {
        ArgumentNullException.ThrowIfNull(server);
        _calls = await HangingCalls.BeginAsync(server.Id, "fsync,fdatasync");
        using var connection = await OpenRequest.SendAsync(server, "POST /collect HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nevent");
        await _calls.UntilStruckAsync(Limit);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (_calls is not null)
        {
            await _calls.DisposeAsync();
        }

        await base.DisposeAsync();
    }
}
