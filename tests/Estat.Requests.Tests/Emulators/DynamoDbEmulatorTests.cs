// The DynamoDB of the tests, by the SDK that the store uses: what it must do as the real one does, and the faults that it must be able to have.

using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;
using Amazon.Runtime;

namespace Estat.Requests.Tests.Emulators;

public sealed class DynamoDbEmulatorTests : IAsyncLifetime
{
    private const string Table = "requests";
    private const string Index = "open";
    private const string IsNew = "attribute_not_exists(pk)";
    private DynamoDbEmulator? _emulator;
    private AmazonDynamoDBClient? _client;

    private static CancellationToken Ended => TestContext.Current.CancellationToken;

    private DynamoDbEmulator Emulator => _emulator!;

    private AmazonDynamoDBClient Client => _client!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(DynamoDbEmulator.Available(out var reason), reason);
        _emulator = await DynamoDbEmulator.StartAsync();
        _client = new AmazonDynamoDBClient(
            new BasicAWSCredentials("key", "secret"),
            new AmazonDynamoDBConfig
            {
                ServiceURL = Emulator.Endpoint,
                AuthenticationRegion = "us-east-1",
                MaxErrorRetry = 0,
                MaxStaleConnectionRetries = 0, // not among the above: the SDK would send ten times more what was lost
            });
        await Client.CreateTableAsync(
            new CreateTableRequest
            {
                TableName = Table,
                BillingMode = BillingMode.PAY_PER_REQUEST,
                AttributeDefinitions = [new("pk", ScalarAttributeType.S), new(Index, ScalarAttributeType.S)],
                KeySchema = [new("pk", KeyType.HASH)],
                GlobalSecondaryIndexes =
                [
                    new()
                    {
                        IndexName = Index,
                        KeySchema = [new(Index, KeyType.HASH)],
                        Projection = new() { ProjectionType = ProjectionType.INCLUDE, NonKeyAttributes = ["note", "n"] },
                    },
                ],
            },
            Ended);
        await Wait.UntilAsync(
            async () => (await Client.DescribeTableAsync(Table, Ended)).Table.TableStatus == TableStatus.ACTIVE,
            TimeSpan.FromSeconds(30),
            "the table");
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_emulator is not null)
        {
            await _emulator.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_failed_condition_gives_the_item_that_was_there_if_asked()
    {
        await PutAsync("a", ("note", "first"));

        var put = await Assert.ThrowsAsync<ConditionalCheckFailedException>(() => Client.PutItemAsync(
            new() { TableName = Table, Item = Item("a"), ConditionExpression = IsNew, ReturnValuesOnConditionCheckFailure = "ALL_OLD" },
            Ended));
        var update = await Assert.ThrowsAsync<ConditionalCheckFailedException>(() => Client.UpdateItemAsync(
            new()
            {
                TableName = Table,
                Key = Item("a"),
                UpdateExpression = "SET note = :n",
                ConditionExpression = "note = :n",
                ExpressionAttributeValues = new() { [":n"] = new("second") },
                ReturnValuesOnConditionCheckFailure = "ALL_OLD",
            },
            Ended));
        var delete = await Assert.ThrowsAsync<ConditionalCheckFailedException>(() => Client.DeleteItemAsync(
            new() { TableName = Table, Key = Item("a"), ConditionExpression = IsNew, ReturnValuesOnConditionCheckFailure = "NONE" },
            Ended));

        Assert.Equal("first", put.Item["note"].S);
        Assert.Equal("first", update.Item["note"].S);
        Assert.True(delete.Item is null or { Count: 0 });
    }

    [Fact]
    public async Task A_transaction_is_all_or_nothing_and_its_reasons_hold_the_items_found()
    {
        await PutAsync("b", ("note", "there"));

        var cancelled = await Assert.ThrowsAsync<TransactionCanceledException>(() => TransactAsync(null, New("a"), New("b"), New("c")));

        Assert.Equal(["None", "ConditionalCheckFailed", "None"], cancelled.CancellationReasons.Select(reason => reason.Code));
        Assert.Equal("there", cancelled.CancellationReasons[1].Item["note"].S);
        Assert.Null(await NoteAsync("a"));
        Assert.Null(await NoteAsync("c"));
    }

    [Fact]
    public async Task A_transaction_that_turns_out_to_be_invalid_in_its_middle_is_undone()
    {
        await PutAsync("text", ("n", "no number"));
        var add = new TransactWriteItem
        {
            Update = new()
            {
                TableName = Table,
                Key = Item("text"),
                UpdateExpression = "ADD n :one",
                ExpressionAttributeValues = new() { [":one"] = new() { N = "1" } },
            },
        };

        var cancelled = await Assert.ThrowsAsync<TransactionCanceledException>(() => TransactAsync(null, New("a"), add));

        Assert.Equal(["None", "ValidationError"], cancelled.CancellationReasons.Select(reason => reason.Code));
        Assert.Null(await NoteAsync("a"));
        Assert.Equal(["text"], await ScanAsync());
    }

    [Fact]
    public async Task A_token_writes_once_and_is_remembered_only_if_it_wrote()
    {
        var first = await Assert.ThrowsAsync<TransactionCanceledException>(() => TransactAsync("token", MustExist("a"), New("b")));
        await PutAsync("a");
        await TransactAsync("token", MustExist("a"), New("b"));
        await TransactAsync("token", MustExist("a"), New("b"));
        await Assert.ThrowsAsync<IdempotentParameterMismatchException>(() => TransactAsync("token", MustExist("a"), New("c")));

        Assert.Equal("ConditionalCheckFailed", first.CancellationReasons[0].Code);
        Assert.NotNull(await NoteAsync("b"));
        Assert.Null(await NoteAsync("c"));
    }

    [Fact]
    public async Task A_transaction_has_at_most_100_actions_4_MB_and_one_action_on_each_item()
    {
        await TransactAsync(null, [.. Enumerable.Range(0, 100).Select(i => New($"hundred-{i}"))]);
        var many = await RefusedAsync([.. Enumerable.Range(0, 101).Select(i => New($"more-{i}"))]);
        var large = await RefusedAsync([.. Enumerable.Range(0, 11).Select(i => New($"large-{i}", new string('x', 390_000)))]);
        var twice = await RefusedAsync([New("a"), MustExist("a")]);
        await Assert.ThrowsAnyAsync<AmazonDynamoDBException>(() => TransactAsync(null, New("b"), New("too-large", new string('x', 410_000))));

        Assert.Contains("100", many.Message, StringComparison.Ordinal);
        Assert.Contains("4 MB", large.Message, StringComparison.Ordinal);
        Assert.Contains("one item", twice.Message, StringComparison.Ordinal);
        Assert.Equal(100, (await ScanAsync()).Count);
        Assert.Empty(await OpenAsync());
    }

    [Fact]
    public async Task An_index_holds_only_the_items_that_have_its_attribute()
    {
        await PutAsync("a", (Index, "1"), ("note", "x"));
        await PutAsync("b");
        await PutAsync("c", (Index, "1"));
        await PutAsync("d", (Index, "2"));
        Assert.Equal(["a", "c"], (await OpenAsync()).Order());

        await Client.UpdateItemAsync(
            new() { TableName = Table, Key = Item("a"), UpdateExpression = "REMOVE #o", ExpressionAttributeNames = Open }, Ended);

        Assert.Equal(["c"], await OpenAsync());
        Assert.Equal(["a", "b", "c", "d"], (await ScanAsync()).Order());
    }

    [Fact]
    public async Task A_batch_of_100_keys_is_read_consistently()
    {
        await TransactAsync(null, [.. Enumerable.Range(0, 50).Select(i => New($"key-{i}"))]);
        var keys = Enumerable.Range(0, 100).Select(i => Item($"key-{i}")).ToList();

        var read = await Client.BatchGetItemAsync(
            new BatchGetItemRequest { RequestItems = new() { [Table] = new() { Keys = keys, ConsistentRead = true } } }, Ended);

        Assert.Equal(50, read.Responses[Table].Count);
    }

    [Fact]
    public async Task A_conflict_applies_nothing_and_names_one_item()
    {
        await Emulator.FaultsAsync(new() { Conflict = 1 });

        var cancelled = await Assert.ThrowsAsync<TransactionCanceledException>(() => TransactAsync(null, New("a"), New("b")));
        await Assert.ThrowsAsync<TransactionConflictException>(() => PutAsync("a"));

        Assert.Equal(["None", "TransactionConflict"], cancelled.CancellationReasons.Select(reason => reason.Code).Order());
        Assert.Empty(await ScanAsync());
        Assert.Equal(2, (await Emulator.FaultCountsAsync())["conflict"]);
    }

    [Fact]
    public async Task A_throttle_applies_nothing_or_a_part_of_a_batch()
    {
        await Emulator.FaultsAsync(new() { Throttle = 1, Operations = ["PutItem", "TransactWriteItems", "BatchWriteItem"], Seed = 7 });
        await Assert.ThrowsAsync<ProvisionedThroughputExceededException>(() => PutAsync("a"));
        for (var i = 0; i < 10; i++)
        {
            var refused = await Assert.ThrowsAnyAsync<AmazonDynamoDBException>(() => TransactAsync(null, New("a")));
            Assert.True(refused is ProvisionedThroughputExceededException or TransactionCanceledException, refused.ToString());
        }

        Assert.Empty(await ScanAsync());
        var batch = Enumerable.Range(0, 25).Select(i => new WriteRequest(new PutRequest(Item($"b-{i}")))).ToList();
        var partly = 0;
        for (var i = 0; i < 20 && batch.Count > 0; i++)
        {
            try
            {
                var answer = await Client.BatchWriteItemAsync(new BatchWriteItemRequest { RequestItems = new() { [Table] = batch } }, Ended);
                partly++;
                batch = answer.UnprocessedItems.GetValueOrDefault(Table) ?? [];
                Assert.Equal(25 - batch.Count, (await ScanAsync()).Count);
            }
            catch (ProvisionedThroughputExceededException)
            {
                // All of it was refused.
            }
        }

        Assert.True(partly > 1, "no batch was done in part");
    }

    [Fact]
    public async Task A_lost_answer_is_that_of_a_write_that_was_applied()
    {
        await Emulator.FaultsAsync(new() { Lost = 1 });
        await Assert.ThrowsAnyAsync<Exception>(() => TransactAsync("token", New("a")));
        await Emulator.FaultsAsync();

        Assert.NotNull(await NoteAsync("a"));
        Assert.Equal(1, (await Emulator.FaultCountsAsync())["lost"]);
        await TransactAsync("token", New("a"));
    }

    [Fact]
    public async Task An_unavailable_service_answers_503()
    {
        await Emulator.FaultsAsync(new() { Unavailable = 1, Operations = ["PutItem"] });
        var refused = await Assert.ThrowsAnyAsync<AmazonServiceException>(() => PutAsync("a"));

        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Empty(await ScanAsync());
    }

    [Fact]
    public async Task A_late_index_shows_what_was_true_before()
    {
        await PutAsync("old", (Index, "1"));
        await Emulator.FaultsAsync(new() { LateIndex = TimeSpan.FromHours(1) });
        await PutAsync("new", (Index, "1"));
        await Client.DeleteItemAsync(Table, Item("old"), Ended);

        Assert.Equal(["old"], await OpenAsync());
        Assert.Equal(["new"], await ScanAsync());
        await Emulator.FaultsAsync(new() { LateIndex = TimeSpan.FromMilliseconds(1) });
        await Wait.UntilAsync(async () => (await OpenAsync()).SequenceEqual(["new"]), TimeSpan.FromSeconds(10), "the index to catch up");
    }

    [Fact]
    public async Task The_same_seed_brings_the_same_faults()
    {
        async Task<string> RunAsync()
        {
            await Emulator.FaultsAsync(new() { Conflict = 0.5, Seed = 42 });
            var seen = "";
            for (var i = 0; i < 32; i++)
            {
                try
                {
                    await PutAsync("a");
                    seen += ".";
                }
                catch (TransactionConflictException)
                {
                    seen += "x";
                }
            }

            return seen;
        }

        var first = await RunAsync();

        Assert.Contains("x", first, StringComparison.Ordinal);
        Assert.Contains(".", first, StringComparison.Ordinal);
        Assert.Equal(first, await RunAsync());
    }

    [Fact]
    public async Task A_fault_that_is_none_is_refused() =>
        await Assert.ThrowsAsync<ArgumentException>(() => Emulator.FaultsAsync(new() { Conflict = 2 }));

    private static Dictionary<string, string> Open => new() { ["#o"] = Index };

    private static Dictionary<string, AttributeValue> Item(string key, params (string Name, string Value)[] more)
    {
        var item = new Dictionary<string, AttributeValue> { ["pk"] = new(key) };
        foreach (var (name, value) in more)
        {
            item[name] = new(value);
        }

        return item;
    }

    private static TransactWriteItem New(string key, string note = "new") => new()
    {
        Put = new()
        {
            TableName = Table,
            Item = Item(key, ("note", note)),
            ConditionExpression = IsNew,
            ReturnValuesOnConditionCheckFailure = ReturnValuesOnConditionCheckFailure.ALL_OLD,
        },
    };

    private static TransactWriteItem MustExist(string key) =>
        new() { ConditionCheck = new() { TableName = Table, Key = Item(key), ConditionExpression = "attribute_exists(pk)" } };

    private Task<PutItemResponse> PutAsync(string key, params (string Name, string Value)[] more) =>
        Client.PutItemAsync(Table, Item(key, more), Ended);

    private Task<TransactWriteItemsResponse> TransactAsync(string? token, params TransactWriteItem[] items) =>
        Client.TransactWriteItemsAsync(new() { ClientRequestToken = token, TransactItems = [.. items] }, Ended);

    private async Task<AmazonDynamoDBException> RefusedAsync(TransactWriteItem[] items)
    {
        var refused = await Assert.ThrowsAnyAsync<AmazonDynamoDBException>(() => TransactAsync(null, items));
        Assert.Equal("ValidationException", refused.ErrorCode);
        return refused;
    }

    private async Task<string?> NoteAsync(string key)
    {
        var read = await Client.GetItemAsync(new() { TableName = Table, Key = Item(key), ConsistentRead = true }, Ended);
        return read.Item?.GetValueOrDefault("note")?.S;
    }

    private async Task<List<string>> OpenAsync()
    {
        var request = new QueryRequest
        {
            TableName = Table,
            IndexName = Index,
            KeyConditionExpression = "#o = :o",
            ExpressionAttributeNames = Open,
            ExpressionAttributeValues = new() { [":o"] = new("1") },
        };
        return [.. ((await Client.QueryAsync(request, Ended)).Items ?? []).Select(item => item["pk"].S)];
    }

    private async Task<List<string>> ScanAsync() =>
        [.. ((await Client.ScanAsync(new ScanRequest(Table) { ConsistentRead = true }, Ended)).Items ?? []).Select(item => item["pk"].S)];
}
