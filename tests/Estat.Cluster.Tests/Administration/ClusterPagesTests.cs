// A gateway's pages show every silo, and bring orders to the silo that is named.
using System.Net;
using System.Text.Json;
using Estat.Api.Options;
using Estat.Base.Acks;
using Estat.Cluster.Tests.Support;
using Estat.Collect.Batching;
using Estat.Http.Options;

namespace Estat.Cluster.Tests.Administration;

public sealed class ClusterPagesTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task A_gateway_shows_every_silo_brings_orders_to_the_one_that_is_named_and_tells_of_one_that_is_dead()
    {
        EstatOptions first = OptionsOf("silo-1");
        EstatOptions alone = OptionsOf("silo-2");
        EstatOptions second = alone with { Cluster = alone.Cluster with { SeedAddr = first.Cluster.SiloAddr } };
        await using RunningSilo one = await RunningSilo.StartAsync(first);
        await using RunningSilo two = await RunningSilo.StartAsync(second);
        await using RunningGateway gateway = await RunningGateway.StartAsync(untilReady: true, first, second);
        gateway.Client.DefaultRequestHeaders.Add("X-Estat-Admin", "1");

        string[] names = [];
        await Wait.UntilAsync(
            async () => (names = [.. (await NodesAsync(gateway)).Where(IsSound).Select(NameOf).Order(StringComparer.Ordinal)]).Length == 3, Patience,
            "three nodes",
            () => string.Join(", ", names));
        JsonElement own = (await NodesAsync(gateway))[0];
        Assert.Equal("gateway", own.GetProperty("node").GetProperty("role").GetString());
        Assert.Equal(JsonValueKind.Null, own.GetProperty("events").ValueKind);
        string nameOfTwo = NameOf((await NodesAsync(gateway)).Single(node => InstanceOf(node) == two.Instance));

        // A file that only the second silo has.
        await File.WriteAllTextAsync(_folder["data/raw"], ""); // no object can be stored
        using (LineBlock block = two.Server.Engine.Ingest.NewBlock())
        {
            block.AddLines("{\"ts\":1,\"ip\":\"\",\"user_agent\":\"\",\"body\":\"event\"}\n"u8, 1);
            Assert.True((await two.Server.Engine.Ingest.AcceptAsync(block, AckLevel.Disk)).IsAccepted);
        }

        string nameOfOne = NameOf((await NodesAsync(gateway)).Single(node => InstanceOf(node) == one.Instance));
        Assert.Equal("{\"batches\":0,\"events\":0}", await OrderAsync(gateway.Client, "/admin/uploads/flush", nameOfOne));
        Assert.Equal("{\"batches\":1,\"events\":1}", await OrderAsync(gateway.Client, "/admin/uploads/flush", nameOfTwo));
        await Wait.UntilAsync(() => two.Server.Engine.DlqFiles == 1, Patience, "a file in the DLQ of the second silo");
        JsonElement list = await GetAsync(gateway, $"/admin/dlq?node={nameOfTwo}");
        JsonElement file = Assert.Single(list.GetProperty("files").EnumerateArray());
        Assert.Equal(
            "{\"outcome\":\"due\",\"segments\":0,\"files\":1,\"detail\":null}", await OrderAsync(gateway.Client, "/admin/uploads/retry", nameOfTwo));
        string path = $"/admin/dlq/{file.GetProperty("name").GetString()}";
        // it keeps nothing itself
        Assert.Equal(HttpStatusCode.NotFound, (await gateway.Client.GetAsync(new Uri("/admin/dlq", UriKind.Relative))).StatusCode);
        Assert.NotEmpty(await gateway.Client.GetByteArrayAsync(new Uri($"{path}/content?node={nameOfTwo}", UriKind.Relative)));
        using HttpResponseMessage refused = await gateway.Client.DeleteAsync(new Uri($"{path}/content?node={nameOfTwo}", UriKind.Relative));
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "GET, HEAD"), (refused.StatusCode, string.Join(", ", refused.Content.Headers.Allow)));
        using HttpResponseMessage discarded = await gateway.Client.DeleteAsync(new Uri($"{path}?events=1&node={nameOfTwo}", UriKind.Relative));
        Assert.Equal("{\"discarded\":1}", await discarded.Content.ReadAsStringAsync());
        Assert.Equal(0, two.Server.Engine.DlqFiles);
        File.Delete(_folder["data/raw"]);

        // This cluster keeps reminders in memory, on one of its silos: a row that it loses at the start is written again at the next look.
        TimeSpan nextLook = TimeSpan.FromMinutes(3);
        JsonElement[] spools = [];
        await Wait.UntilAsync(
            async () => (spools = [.. (await GetAsync(gateway, $"/admin/spools?node={nameOfTwo}")).GetProperty("spools").EnumerateArray()])
                .Count(spool => spool.GetProperty("node").ValueKind == JsonValueKind.String) == 2, nextLook, "the spools of both silos",
            () => string.Join(", ", spools));
        string spool = spools[0].GetProperty("spool").GetString()!;
        using HttpResponseMessage kept = await gateway.Client.DeleteAsync(new Uri($"/admin/spools/{spool}?node={nameOfTwo}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Conflict, kept.StatusCode);
        using HttpResponseMessage unknown = await gateway.Client.DeleteAsync(new Uri($"/admin/spools/0?node={nameOfTwo}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);

        await two.StopAsync();
        JsonElement[] nodes = [];
        await Wait.UntilAsync(
            async () => (nodes = await NodesAsync(gateway))
                .Any(node => NameOf(node) == nameOfTwo && node.TryGetProperty("error", out _)), Patience, "the dead silo's error",
            () => string.Join(", ", nodes));
        Assert.Equal(2, nodes.Count(IsSound));
        using HttpResponseMessage unanswered = await gateway.Client.GetAsync(new Uri($"/admin/dlq?node={nameOfTwo}", UriKind.Relative));
        Assert.Equal(HttpStatusCode.BadGateway, unanswered.StatusCode);
    }

    [Fact]
    public async Task A_silo_that_takes_events_itself_shows_the_others_by_membership()
    {
        EstatOptions first = RunningSilo.OptionsIn(_folder, "silo-1");
        EstatOptions second = RunningSilo.OptionsIn(_folder, "silo-2", cluster => cluster with { SeedAddr = first.Cluster.SiloAddr });
        await using RunningSilo one = await RunningSilo.StartAsync(first);
        await using RunningSilo two = await RunningSilo.StartAsync(second);
        using var client = new HttpClient { BaseAddress = one.Server.Address };
        string[] instances = [];
        await Wait.UntilAsync(
            async () =>
            {
                using var nodes = JsonDocument.Parse(await client.GetStringAsync(new Uri("/admin/nodes", UriKind.Relative)));
                instances = [.. nodes.RootElement.GetProperty("nodes").EnumerateArray().Where(IsSound).Select(InstanceOf).OfType<string>()];
                return instances.Length == 2;
            }, Patience, "both silos", () => string.Join(", ", instances));
        Assert.Equal([one.Instance, two.Instance], instances);

        client.DefaultRequestHeaders.Add("X-Estat-Admin", "1");
        using (LineBlock block = two.Server.Engine.Ingest.NewBlock())
        {
            block.AddLines("{\"ts\":1,\"ip\":\"\",\"user_agent\":\"\",\"body\":\"event\"}\n"u8, 1);
            Assert.True((await two.Server.Engine.Ingest.AcceptAsync(block, AckLevel.Disk)).IsAccepted);
        }

        using var list = JsonDocument.Parse(await client.GetStringAsync(new Uri("/admin/nodes", UriKind.Relative)));
        string nameOfTwo = NameOf(list.RootElement.GetProperty("nodes").EnumerateArray().Single(node => InstanceOf(node) == two.Instance));
        Assert.Equal("{\"batches\":1,\"events\":1}", await OrderAsync(client, "/admin/uploads/flush", nameOfTwo));
        await Wait.UntilAsync(() => two.Server.Engine.Ledger.Read().Stored == 1, Patience, "the second silo's event to be stored");
    }

    public void Dispose() => _folder.Dispose();

    private static bool IsSound(JsonElement node) => !node.TryGetProperty("error", out _);

    private static string NameOf(JsonElement node) => node.GetProperty("node").GetProperty("name").GetString()!;

    private static string? InstanceOf(JsonElement node) =>
        node.GetProperty("node").TryGetProperty("instance", out JsonElement instance) ? instance.GetString() : null;

    private static async Task<string> OrderAsync(HttpClient client, string path, string node)
    {
        using HttpResponseMessage answer = await client.PostAsync(new Uri($"{path}?node={node}", UriKind.Relative), null);
        return await answer.Content.ReadAsStringAsync();
    }

    private static async Task<JsonElement[]> NodesAsync(RunningGateway gateway) =>
        [.. (await GetAsync(gateway, "/admin/nodes")).GetProperty("nodes").EnumerateArray()];

    private static async Task<JsonElement> GetAsync(RunningGateway gateway, string path)
    {
        using var document = JsonDocument.Parse(await gateway.Client.GetStringAsync(new Uri(path, UriKind.Relative)));
        return document.RootElement.Clone();
    }

    private EstatOptions OptionsOf(string name)
    {
        EstatOptions options = RunningSilo.OptionsIn(_folder, name, cluster => cluster with { Role = NodeRole.Silo });
        return options with { Collect = options.Collect with { RecoveryInterval = TimeSpan.FromHours(1), S3AppRetries = 0 } };
    }
}
