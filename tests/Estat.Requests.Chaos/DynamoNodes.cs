// Two servers over one local DynamoDB, and everything that may happen to such servers.
using System.Globalization;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Options;

namespace Estat.Requests.Chaos;

/// <summary>
/// While it runs DynamoDB refuses, is in conflict, and loses answers of writes that it applied. By turns a server is killed, a server stands still
/// for longer than its leases last and goes on, and DynamoDB stands still.
/// </summary>
internal sealed class DynamoNodes : Nodes
{
    // Longer than REQUESTS_DECIDER_LEASE, below: another node has the campaigns when it goes on.
    private static readonly TimeSpan Standstill = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan Away = TimeSpan.FromSeconds(2);

    private const int StopSignal = 19;
    private const int ContinueSignal = 18;

    private readonly DynamoDbEmulator _dynamo;
    private readonly string _table = $"oracle-{Guid.NewGuid():N}";
    private int _turn;
    private int _kills;
    private int _stops;
    private int _outages;

    private DynamoNodes(TempFolder folder, DynamoDbEmulator dynamo)
        : base(folder, 2) => _dynamo = dynamo;

    /// <inheritdoc/>
    internal override bool HaveNumbersByCampaign => true;

    /// <inheritdoc/>
    internal override string Disturbances => $"{_kills} kills, {_stops} servers stopped past their leases, DynamoDB away {_outages} times";

    private protected override IEnumerable<(string Name, string Value)> Options =>
    [
        ("REQUESTS_STORE", "dynamodb"),
        ("REQUESTS_TABLE", _table),
        ("REQUESTS_DYNAMODB_ENDPOINT", _dynamo.Endpoint),
        ("REQUESTS_DECIDER_LEASE", "1s"),
        ("REQUESTS_SEAL_AFTER", "500ms"),
    ];

    internal static async Task<Nodes> StartAsync(TempFolder folder)
    {
        var nodes = new DynamoNodes(folder, await DynamoDbEmulator.StartAsync());
        await TableSchema.MakeAsync(
            new RequestsOptions { Table = nodes._table, DynamoDbEndpoint = new Uri(nodes._dynamo.Endpoint) }, "eu-central-1", CancellationToken.None);
        for (int i = 0; i < nodes.Count; i++)
        {
            await nodes.StartAsync(i);
        }

        await nodes._dynamo.FaultsAsync(new DynamoDbFaults { Conflict = 0.03, Throttle = 0.03, Lost = 0.02 });
        return nodes;
    }

    /// <inheritdoc/>
    internal override async Task<string> DisturbAsync()
    {
        int victim = _turn / 3 % Count;
        switch (_turn++ % 3)
        {
            case 0:
                await KillAsync(victim);
                return string.Create(CultureInfo.InvariantCulture, $"kill {++_kills}");
            case 1:
                Server(victim).Signal(StopSignal);
                await Task.Delay(Standstill);
                Server(victim).Signal(ContinueSignal);
                return string.Create(CultureInfo.InvariantCulture, $"stop {++_stops}");
            default:
                _dynamo.Stop();
                await Task.Delay(Away);
                _dynamo.Continue();
                return string.Create(CultureInfo.InvariantCulture, $"outage {++_outages}");
        }
    }

    /// <inheritdoc/>
    internal override Task CalmAsync() => _dynamo.FaultsAsync();

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _dynamo.DisposeAsync();
    }
}
