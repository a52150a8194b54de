// A store that hangs: it takes connections and never answers.

namespace Estat.Testing;

/// <summary>An event is acknowledged and cannot be uploaded.</summary>
public sealed class StoreHang : Hang
{
    private readonly FaultProxy _store = FaultProxy.Start(targetPort: FreePort.Next());

    /// <summary>Where nobody answers.</summary>
    public string Endpoint => _store.Endpoint;

    /// <summary>How often somebody came.</summary>
    public int Struck => _store.Struck;

    /// <inheritdoc/>
    public override Task PrepareAsync(IDictionary<string, string> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _store.Fault = Fault.Hang;
        options["RAW_BUCKET"] = "events";
        options["S3_ENDPOINT"] = Endpoint;
        options["AWS_REGION"] = "us-east-1";
        options["AWS_ACCESS_KEY_ID"] = "nobody";
        options["AWS_SECRET_ACCESS_KEY"] = "nothing";
        options["S3_TIMEOUT"] = "5m";
        options["BATCH_SIZE"] = "1";
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override async Task BeginAsync(ServerProcess server)
    {
        ArgumentNullException.ThrowIfNull(server);
        using var connection = await OpenRequest.SendAsync(server, "POST /collect HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nevent");
        await connection.UntilAnsweredAsync(Limit);
        await Wait.UntilAsync(() => _store.Struck > 0, Limit, "the store to be asked");
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _store.Dispose();
        return base.DisposeAsync();
    }
}
