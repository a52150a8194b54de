// A membership that hangs: Redis, or DynamoDB, takes connections and never answers.

namespace Estat.Testing;

/// <summary>It answers until it hangs, unless it hangs from the start.</summary>
/// <param name="clustering">What CLUSTERING is.</param>
/// <param name="fromStart">Whether the program cannot even join.</param>
public sealed class MembershipHang(string clustering, bool fromStart) : Hang
{
    private MembershipStore? _table;
    private FaultProxy? _way;

    /// <inheritdoc/>
    public override string? Missing => MembershipStore.Available(clustering, out var reason) ? null : reason;

    /// <inheritdoc/>
    public override async Task PrepareAsync(IDictionary<string, string> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _table = await MembershipStore.StartAsync(clustering);
        _way = FaultProxy.Start(_table.Port);
        _way.Fault = fromStart ? Fault.Hang : Fault.None;
        _table.Point(options, _way.Port);
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
