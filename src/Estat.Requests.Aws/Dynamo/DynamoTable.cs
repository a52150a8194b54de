// The table: consistent reads, conditional writes, and what their answers mean.
using System.Runtime.CompilerServices;
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Estat.Base.Storage;
using Estat.Requests.Options;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Dynamo;

/// <summary>
/// The SDK's retries are off: it would try again after an answer that was lost, and report what the second attempt met. Here each operation knows
/// whether an attempt before may have been applied. Reads are consistent. Any thread.
/// </summary>
internal sealed class DynamoTable : IDisposable
{
    /// <summary>Writes in one transaction; DynamoDB's own limit.</summary>
    internal const int MostWrites = 100;

    /// <summary>Keys in one BatchGetItem. DynamoDB's own limit is 100; an answer has 8 MB at most, and a request's result 64 KB.</summary>
    internal const int MostReads = 48;

    // One answer of DynamoDB takes milliseconds; after this long it is lost.
    private static readonly TimeSpan ForOne = TimeSpan.FromSeconds(3);

    // All attempts at one operation: throttling passes within this, or lasts.
    private static readonly TimeSpan ForAll = TimeSpan.FromSeconds(8);
    private static readonly Backoff Pause = new(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(500));

    private readonly AmazonDynamoDBClient _client;
    private readonly DynamoCounters _counters;

    /// <summary>No request is sent yet.</summary>
    /// <param name="options">Table and endpoint.</param>
    /// <param name="region">AWS_REGION.</param>
    /// <param name="clock">Sees every answer.</param>
    internal DynamoTable(RequestsOptions options, string region, StoreClock clock)
    {
        Name = options.Table;
        Description = options.DynamoDbEndpoint is { } endpoint ? $"table {options.Table} at {endpoint.ToString().TrimEnd('/')}"
            : $"DynamoDB table {options.Table} in {region}";
        _counters = new DynamoCounters();
        _client = DynamoClients.Open(options, region, new AwsHttpClients { Around = sender => new ClockHandler(sender, clock) }, ForOne);
    }

    /// <summary>The table's name.</summary>
    internal string Name { get; }

    /// <summary>Where it is, for the log.</summary>
    internal string Description { get; }

    /// <summary>What came of attempts.</summary>
    internal DynamoCounters Counters => _counters;

    /// <summary>An item; null when it is not there.</summary>
    /// <param name="key">Where it is.</param>
    /// <param name="only">The attributes that are read, with commas between them; null: all.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task<Item?> GetAsync(ItemKey key, string? only = null, CancellationToken cancellationToken = default)
    {
        var request = new GetItemRequest { TableName = Name, Key = key.ToValues(), ConsistentRead = true, ProjectionExpression = only };
        GetItemResponse answer = await ReadAsync(token => _client.GetItemAsync(request, token), cancellationToken).ConfigureAwait(false);
        return answer.Item is { Count: > 0 } item ? new Item(item) : null;
    }

    /// <summary>Items, by key; those that are not there are missing.</summary>
    /// <param name="keys">Different ones.</param>
    /// <param name="only">The attributes that are read, with commas between them; null: all.</param>
    /// <param name="atOnce">Keys in one request.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task<Dictionary<ItemKey, Item>> GetManyAsync(
        IEnumerable<ItemKey> keys, string? only = null, int atOnce = MostReads, CancellationToken cancellationToken = default)
    {
        var found = new Dictionary<ItemKey, Item>();
        foreach (ItemKey[] some in keys.Chunk(atOnce))
        {
            var wanted = new KeysAndAttributes { Keys = [.. some.Select(key => key.ToValues())], ConsistentRead = true, ProjectionExpression = only };
            for (int asked = 1; wanted.Keys.Count > 0; asked++)
            {
                var request = new BatchGetItemRequest { RequestItems = new() { [Name] = wanted } };
                BatchGetItemResponse answer = await ReadAsync(token => _client.BatchGetItemAsync(request, token), cancellationToken)
                    .ConfigureAwait(false);
                foreach (Dictionary<string, AttributeValue> values in answer.Responses?.GetValueOrDefault(Name) ?? [])
                {
                    var item = new Item(values);
                    found[item.Key] = item;
                }

                if (answer.UnprocessedKeys?.GetValueOrDefault(Name) is not { Keys.Count: > 0 } left)
                {
                    break;
                }

                wanted.Keys = left.Keys;
                await Task.Delay(Pause.After(asked), cancellationToken).ConfigureAwait(false); // it asks to slow down
            }
        }

        return found;
    }

    /// <summary>Items of a partition, in the order of their sort keys.</summary>
    /// <param name="partition">The partition key.</param>
    /// <param name="from">The first sort key; null: the first there is.</param>
    /// <param name="to">The last one; null: the last there is.</param>
    /// <param name="most">Items.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal async Task<List<Item>> QueryAsync(
        string partition, string? from = null, string? to = null, int most = int.MaxValue, CancellationToken cancellationToken = default)
    {
        var found = new List<Item>();
        Dictionary<string, AttributeValue>? after = null;
        do
        {
            var request = new QueryRequest
            {
                TableName = Name,
                ConsistentRead = true,
                KeyConditionExpression = "pk = :pk" + (from is not null && to is not null ? " AND sk BETWEEN :from AND :to"
                    : from is not null ? " AND sk >= :from" : to is not null ? " AND sk <= :to" : ""),
                ExpressionAttributeValues = new() { [":pk"] = new() { S = partition } },
                ExclusiveStartKey = after,
            };
            if (from is not null)
            {
                request.ExpressionAttributeValues[":from"] = new() { S = from };
            }

            if (to is not null)
            {
                request.ExpressionAttributeValues[":to"] = new() { S = to };
            }

            if (most < int.MaxValue)
            {
                request.Limit = most - found.Count;
            }

            QueryResponse answer = await ReadAsync(token => _client.QueryAsync(request, token), cancellationToken).ConfigureAwait(false);
            found.AddRange((answer.Items ?? []).Select(values => new Item(values)));
            after = answer.LastEvaluatedKey is { Count: > 0 } last ? last : null;
        }
        while (after is not null && found.Count < most);
        return found;
    }

    /// <summary>Updates an item.</summary>
    /// <returns>The item as it is then; null if its condition does not hold.</returns>
    /// <remarks>If an answer was lost, the update may have been applied twice, or once although its condition does not hold any more: its caller
    /// must be able to live with that.</remarks>
    internal Task<Item?> UpdateAsync(Change change, CancellationToken cancellationToken = default) => WriteAsync<Item?>(
        async token => new Item((await _client.UpdateItemAsync(change.ToUpdate(Name), token).ConfigureAwait(false)).Attributes),
        () => null, cancellationToken);

    /// <summary>Writes an item.</summary>
    /// <returns>Whether its condition held. If an answer was lost, false may be said of an item that was written by this call.</returns>
    internal Task<bool> PutAsync(Change change, CancellationToken cancellationToken = default) => WriteAsync(
        async token =>
        {
            await _client.PutItemAsync(change.ToPut(Name), token).ConfigureAwait(false);
            return true;
        },
        () => false, cancellationToken);

    /// <summary>Deletes an item, if it is there.</summary>
    internal Task<bool> DeleteAsync(ItemKey key, CancellationToken cancellationToken = default) => WriteAsync(
        async token =>
        {
            await _client.DeleteItemAsync(new DeleteItemRequest { TableName = Name, Key = key.ToValues() }, token).ConfigureAwait(false);
            return true;
        },
        () => false, cancellationToken);

    /// <summary>Writes all, or nothing.</summary>
    /// <param name="changes">1 to <see cref="MostWrites"/>, of different items.</param>
    /// <param name="cancellationToken">Ends it; what is under way may be applied all the same.</param>
    /// <returns>Null: it was applied. Else for each change whether its condition held. Nothing was applied then; but if an attempt's answer was lost
    /// more than ten minutes ago, that attempt may have been.</returns>
    /// <exception cref="StoreException">It was not applied, or nobody knows.</exception>
    internal async Task<IReadOnlyList<bool>?> TransactAsync(IReadOnlyList<Change> changes, CancellationToken cancellationToken = default)
    {
        // The same token for all attempts: one that comes after an applied one, whose answer was lost, changes nothing and succeeds.
        var request = new TransactWriteItemsRequest
        {
            ClientRequestToken = Guid.NewGuid().ToString("N"),
            TransactItems = [.. changes.Select(change => change.ToPart(Name))],
        };
        return await WriteAsync<IReadOnlyList<bool>?>(
            async token =>
            {
                try
                {
                    await _client.TransactWriteItemsAsync(request, token).ConfigureAwait(false);
                    return null;
                }
                catch (TransactionCanceledException error) when (error.CancellationReasons?.Exists(IsCondition) == true)
                {
                    return [.. error.CancellationReasons.Select(reason => !IsCondition(reason))];
                }
            },
            () => null, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Everything in the table, for those who count.</summary>
    internal async IAsyncEnumerable<Item> ScanAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        Dictionary<string, AttributeValue>? after = null;
        do
        {
            var request = new ScanRequest { TableName = Name, ConsistentRead = true, ExclusiveStartKey = after };
            ScanResponse answer = await ReadAsync(token => _client.ScanAsync(request, token), cancellationToken).ConfigureAwait(false);
            foreach (Dictionary<string, AttributeValue> values in answer.Items ?? [])
            {
                yield return new Item(values);
            }

            after = answer.LastEvaluatedKey is { Count: > 0 } last ? last : null;
        }
        while (after is not null);
    }

    public void Dispose() => _client.Dispose();

    private static bool IsCondition(CancellationReason reason) => reason.Code == "ConditionalCheckFailed";

    private async Task<T> ReadAsync<T>(Func<CancellationToken, Task<T>> send, CancellationToken cancellationToken) =>
        await RunAsync(send, () => throw new InvalidOperationException("a read has no condition"), isRead: true, cancellationToken)
            .ConfigureAwait(false);

    private Task<T> WriteAsync<T>(Func<CancellationToken, Task<T>> send, Func<T> refused, CancellationToken cancellationToken) =>
        RunAsync(send, refused, isRead: false, cancellationToken);

    private async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> send, Func<T> refused, bool isRead, CancellationToken cancellationToken)
    {
        long began = TimeProvider.System.GetTimestamp();
        bool isUnknown = false;
        for (int attempt = 1; ; attempt++)
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(ForOne);
            try
            {
                T answer = await send(limit.Token).ConfigureAwait(false);
                _counters.Seen();
                return answer;
            }
            catch (ConditionalCheckFailedException)
            {
                _counters.Seen();
                return refused();
            }
            catch (Exception error) when (error is not (StoreException or ObjectDisposedException))
            {
                cancellationToken.ThrowIfCancellationRequested();
                DynamoFailure failure = DynamoFailure.Of(error);
                _counters.Failed(failure.Kind);
                isUnknown |= !isRead && failure.Kind == FailureKind.Lost;
                if (failure.Kind == FailureKind.Permanent || TimeProvider.System.GetElapsedTime(began) > ForAll)
                {
                    throw new StoreException($"{Description}: {failure.Text}", isUnknown, error);
                }
            }

            await Task.Delay(Pause.After(attempt), cancellationToken).ConfigureAwait(false);
        }
    }
}
