// A membership table that hangs: DynamoDB takes connections and never answers.

namespace Estat.Testing;

/// <summary>It answers until it hangs, unless it hangs from the start.</summary>
/// <param name="fromStart">Whether the program cannot even join.</param>
public sealed class MembershipHang(bool fromStart) : Hang
{
    private DynamoDbEmulator? _table;
    private FaultProxy? _way;

    /// <inheritdoc/>
    public override string? Missing => DynamoDbEmulator.Available(out var reason) ? null : reason;

    /// <inheritdoc/>
    public override async Task PrepareAsync(IDictionary<string, string> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _table = await DynamoDbEmulator.StartAsync();
        _way = FaultProxy.Start(_table.Port);
        _way.Fault = fromStart ? Fault.Hang : Fault.None;
        options["CLUSTERING"] = "dynamodb";
        options["DYNAMODB_ENDPOINT"] = _way.Endpoint;
        options["AWS_ACCESS_KEY_ID"] = "nobody";
        options["AWS_SECRET_ACCESS_KEY"] = "nothing";
        options["MEMBERSHIP_PROBE"] = "500ms"; // it is read every second
    }

    /// <inheritdoc/>
    public override async Task BeginAsync(ServerProcess server)
    {
        _way!.Fault = Fault.Hang;
        var struck = fromStart ? 0 : _way.Struck;
        await Wait.UntilAsync(() => _way.Struck > struck, Limit, "the membership table to be asked");
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        _way?.Dispose();
        if (_table is not null)
        {
            await _table.DisposeAsync();
        }

        await base.DisposeAsync();
    }
}
