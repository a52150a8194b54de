// `estat requests create-table` and `restore-table`, and what `estat check` says of the table, over the local DynamoDB.
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests;

public sealed class RequestsTableTests
{
    [Fact]
    public async Task A_table_is_made_once_checked_restored_and_resumed_and_a_missing_one_is_told_with_the_verb_that_makes_it()
    {
        Assert.SkipUnless(DynamoDbEmulator.Available(out string reason), reason);
        await using DynamoDbEmulator dynamo = await DynamoDbEmulator.StartAsync();
        using var folder = new TempFolder();
        Dictionary<string, string> options = new()
        {
            ["SERVE"] = "requests",
            ["REQUESTS_STORE"] = "dynamodb",
            ["REQUESTS_TABLE"] = "shop-requests",
            ["REQUESTS_DYNAMODB_ENDPOINT"] = dynamo.Endpoint,
            ["HTTP_ADDR"] = $"127.0.0.1:{FreePort.Next()}",
            ["STORAGE_DIR"] = folder["data"],
            ["SPOOL_DIR"] = folder["spool"],
            ["DLQ_DIR"] = folder["dlq"],
        };
        (int code, string output) = await EstatCommand.RunAsync(options, "check");
        Assert.Equal(1, code);
        Assert.Contains("there is no such table. Make it: estat requests create-table", output, StringComparison.Ordinal);
        (code, output) = await EstatCommand.RunAsync(options, "requests", "restore-table");
        Assert.Equal(1, code);
        Assert.Contains("there is no such table", output, StringComparison.Ordinal);

        Assert.Contains("shop-requests is ready", await DoAsync(options, "requests", "create-table"), StringComparison.Ordinal);
        Assert.Contains("there already", await DoAsync(options, "requests", "create-table"), StringComparison.Ordinal);
        (code, output) = await EstatCommand.RunAsync(options, "requests", "restore-table");
        Assert.Equal(1, code);
        Assert.Contains("holds no requests: check REQUESTS_TABLE", output, StringComparison.Ordinal);

        await using (ServerProcess server = await ServerProcess.StartAsync(options))
        {
            Assert.Contains("table shop-requests at", await DoAsync(options, "check", $"--HTTP_ADDR=127.0.0.1:{FreePort.Next()}"),
                StringComparison.Ordinal);
        }

        Assert.Contains("shop-requests holds 0 campaigns", await DoAsync(options, "requests", "restore-table"), StringComparison.Ordinal);
        Assert.Contains("accept requests again", await DoAsync(options, "requests", "restore-table", "--resume"), StringComparison.Ordinal);
    }

    private static async Task<string> DoAsync(Dictionary<string, string> options, params string[] args)
    {
        (int code, string output) = await EstatCommand.RunAsync(options, args);
        Assert.True(code == 0, output);
        return output;
    }
}
