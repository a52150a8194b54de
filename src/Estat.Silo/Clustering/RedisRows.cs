// The rows of a membership table in Redis, as Orleans writes them: a hash of the version and a row a silo.
using System.Globalization;
using StackExchange.Redis;

namespace Estat.Silo.Clustering;

/// <summary>
/// Copies rows as they are, unread, and puts them all back in one transaction. Orleans' own table cannot do it: it writes a row only under a version
/// that is one above the last, so silos would see later and later versions in which some of them are still missing.
/// </summary>
internal sealed class RedisRows(RedisConnection connection, RedisKey table, string description) : IMembershipRows
{
    private const string Version = "Version";
    private Dictionary<string, RedisValue> _copy = [];

    /// <inheritdoc/>
    public string Description => description;

    /// <inheritdoc/>
    public async Task<bool> TryCopyAsync(SiloAddress self, CancellationToken cancellationToken)
    {
        IDatabase database = await DatabaseAsync(cancellationToken).ConfigureAwait(false);
        HashEntry[] fields = await database.HashGetAllAsync(table).WaitAsync(cancellationToken).ConfigureAwait(false);
        var rows = fields.Where(field => field.Name != Version).ToDictionary(field => field.Name.ToString(), field => field.Value);
        if (!rows.ContainsKey(FieldOf(self)))
        {
            return false;
        }

        _copy = rows;
        return true;
    }

    /// <inheritdoc/>
    public bool Has(SiloAddress silo) => _copy.ContainsKey(FieldOf(silo));

    /// <inheritdoc/>
    public async Task PutBackAsync(IReadOnlyCollection<SiloAddress> silos, long version, CancellationToken cancellationToken)
    {
        IDatabase database = await DatabaseAsync(cancellationToken).ConfigureAwait(false);
        RedisValue now = await database.HashGetAsync(table, Version).WaitAsync(cancellationToken).ConfigureAwait(false);
        long there = long.TryParse(now.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;
        ITransaction transaction = database.CreateTransaction();
        _ = transaction.AddCondition(now.IsNull ? Condition.HashNotExists(table, Version) : Condition.HashEqual(table, Version, now));
        _ = transaction.HashSetAsync(table, Version, Math.Max(version, there).ToString(CultureInfo.InvariantCulture));
        foreach (SiloAddress silo in silos)
        {
            if (_copy.TryGetValue(FieldOf(silo), out RedisValue row))
            {
                _ = transaction.HashSetAsync(table, FieldOf(silo), row, When.NotExists);
            }
        }

        // Somebody else was quicker if it is not executed: the next look shows what is still missing.
        await transaction.ExecuteAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    private static string FieldOf(SiloAddress silo) => silo.ToString();

    private async Task<IDatabase> DatabaseAsync(CancellationToken cancellationToken) =>
        (await connection.OpenAsync().WaitAsync(cancellationToken).ConfigureAwait(false)).GetDatabase();
}
