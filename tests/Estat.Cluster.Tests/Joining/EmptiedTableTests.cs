// Somebody empties the membership table of a cluster that runs: real processes.
using System.Net;

namespace Estat.Cluster.Tests.Joining;

/// <summary>The same over each membership, side by side.</summary>
public abstract class EmptiedTableTests(string clustering)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_membership_table_that_is_emptied_costs_no_answer_and_the_silos_put_themselves_back()
    {
        Assert.SkipUnless(MembershipStore.Available(clustering, out string reason), reason);
        using var folder = new TempFolder();
        await using MembershipStore table = await MembershipStore.StartAsync(clustering);
        await using var cluster = new ClusterProcesses(table, new Dictionary<string, string>
        {
            ["STORAGE_DIR"] = folder["data"], ["MEMBERSHIP_PROBE"] = "500ms", ["BATCH_SIZE"] = "100",
        });
        await cluster.AddAsync(silos: 2, gateways: 1);
        ServerProcess gateway = cluster.Gateways[0].Server;
        await Wait.UntilAsync(
            async () => (await gateway.MetricsAsync()).GetValueOrDefault("estat_forward_silos_healthy") == 2, Limit,
            "the gateway to have both silos");

        int sent = 0;
        await Wait.UntilAsync(
            async () =>
            {
                await table.EmptyAsync(cluster.Id); // again, as the silos may be quicker than the gateway
                Assert.Equal(HttpStatusCode.OK, await SendAsync(gateway, $"{sent++}"));
                return gateway.Output.Any(line => line.Contains("is no longer in the list of silos", StringComparison.Ordinal));
            },
            Limit, "the gateway to see the empty list");
        await Wait.UntilAsync(
            async () =>
            {
                Assert.Equal(HttpStatusCode.OK, await SendAsync(gateway, $"{sent++}"));
                return await table.CountAsync(cluster.Id) == 2;
            },
            Limit, "the rows to be back");

        // Who comes afterwards finds the others, and a gateway's list is as it was.
        await cluster.AddAsync(silos: 1, gateways: 0);
        Assert.All(cluster.Silos, silo => Assert.True(silo.IsRunning));
        await Wait.UntilAsync(
            async () => (await gateway.MetricsAsync()).GetValueOrDefault("estat_forward_silos_healthy") == 3, Limit,
            "the gateway to have three silos");
        Assert.Empty(await cluster.DrainAsync());
        Assert.Equal(sent, StoredEvents.FromFolder(folder["data"]).Count);
    }

    private static async Task<HttpStatusCode> SendAsync(ServerProcess gateway, string body)
    {
        using var content = new StringContent(body);
        using HttpResponseMessage answer = await gateway.Client.PostAsync(new Uri("/collect", UriKind.Relative), content);
        return answer.StatusCode;
    }
}

public sealed class EmptiedRedisTests() : EmptiedTableTests(MembershipStore.Redis);

public sealed class EmptiedDynamoDbTests() : EmptiedTableTests(MembershipStore.DynamoDb);
