// A build has the DynamoDB provider or says that it has not.
namespace Estat.Cluster.Tests.Clustering;

public sealed class ProviderTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();

    [Theory]
    [InlineData("silo")]
    [InlineData("gateway")]
    public async Task Without_its_provider_CLUSTERING_dynamodb_ends_the_start_with_one_line_and_with_it_a_node_asks_the_table(string role)
    {
        using var table = FaultProxy.Start(FreePort.Next());
        table.Fault = Fault.Hang;
        bool isBuilt = MembershipStore.IsBuilt(MembershipStore.DynamoDb, out _);
        await using ServerProcess node = ServerProcess.LaunchProject("Estat.Silo", $"a {role}", new Dictionary<string, string>
        {
            ["ROLE"] = role,
            ["CLUSTERING"] = "dynamodb",
            ["DYNAMODB_ENDPOINT"] = table.Endpoint,
            ["AWS_ACCESS_KEY_ID"] = "nobody",
            ["AWS_SECRET_ACCESS_KEY"] = "nothing",
            ["SILO_ADDR"] = $"127.0.0.1:{FreePort.Next()}",
            ["SILO_CLIENT_ADDR"] = $"127.0.0.1:{FreePort.Next()}",
            ["STORAGE_DIR"] = _folder["data"],
            ["SPOOL_DIR"] = _folder["spool"],
            ["DLQ_DIR"] = _folder["dlq"],
            ["SPOOL_VOLATILE"] = "true",
        });
        if (!isBuilt)
        {
            Assert.Equal(2, await node.WaitForExitAsync(Limit));
            string line = Assert.Single(node.Output);
            Assert.StartsWith("estat: CLUSTERING=dynamodb: this build has no DynamoDB provider", line, StringComparison.Ordinal);
            Assert.Contains("Use CLUSTERING=redis", line, StringComparison.Ordinal);
            Assert.False(Directory.Exists(_folder["spool"]), "it had taken its folder before");
            return;
        }

        await Wait.UntilAsync(() => table.Struck > 0, Limit, "the table to be asked", () => string.Join('\n', node.Output));
    }

    public void Dispose() => _folder.Dispose();
}
