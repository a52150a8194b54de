// One look at the table, for who only wants to know whether it can be used.
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Items;
using Estat.Requests.Options;

namespace Estat.Requests.Aws.Hosting;

/// <summary>Writes nothing.</summary>
internal static class TableLook
{
    /// <summary>Beyond it a node is not ready.</summary>
    internal static TimeSpan MostOff => StoreClock.Most;

    /// <summary>Reads one item.</summary>
    /// <returns>Which table, and how far this machine's clock is from DynamoDB's, at least.</returns>
    /// <exception cref="Storing.StoreException">It cannot be read; the message says what to do.</exception>
    internal static async Task<(string Where, TimeSpan Clock)> TryAsync(RequestsOptions options, string region, CancellationToken cancellationToken)
    {
        var clock = new StoreClock(TimeProvider.System);
        using var table = new DynamoTable(options, region, clock);
        await table.GetAsync(Keys.Store, cancellationToken: cancellationToken).ConfigureAwait(false);
        return (table.Description, clock.Difference);
    }
}
