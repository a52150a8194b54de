// Makes the table: what deploy/aws makes in an account, for emulators and for trying it out.
using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Estat.Base.Storage;
using Estat.Requests.Options;
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Dynamo;

/// <summary>Two keys, and no index: no decision and no search needs one.</summary>
internal static class TableSchema
{
    // DynamoDB makes a table in some ten seconds.
    private static readonly TimeSpan ForTable = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan ForOne = TimeSpan.FromSeconds(10);

    /// <summary>Makes it, unless it is there, and waits until it can be used.</summary>
    /// <param name="options">The table's name, and where.</param>
    /// <param name="region">AWS_REGION.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Whether it was made.</returns>
    internal static async Task<bool> MakeAsync(RequestsOptions options, string region, CancellationToken cancellationToken)
    {
        using AmazonDynamoDBClient client = DynamoClients.Open(options, region, new AwsHttpClients(), ForOne);
        bool isNew = true;
        try
        {
            await client.CreateTableAsync(
                new CreateTableRequest
                {
                    TableName = options.Table,
                    BillingMode = BillingMode.PAY_PER_REQUEST,
                    AttributeDefinitions = [new(ItemKey.Partition, ScalarAttributeType.S), new(ItemKey.Sort, ScalarAttributeType.S)],
                    KeySchema = [new(ItemKey.Partition, KeyType.HASH), new(ItemKey.Sort, KeyType.RANGE)],
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (ResourceInUseException)
        {
            isNew = false;
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(ForTable);
        try
        {
            while ((await client.DescribeTableAsync(options.Table, limit.Token).ConfigureAwait(false)).Table.TableStatus != TableStatus.ACTIVE)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), limit.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StoreException($"table {options.Table} was not ready after {ForTable.TotalMinutes:0} minutes. Look at it in DynamoDB");
        }

        return isNew;
    }
}
