// A write key's prefix, from a gateway to the silo that lays its events there.
using System.Net;
using Estat.Api.Options;
using Estat.Base.Access;
using Estat.Cluster.Tests.Support;
using Estat.Http.Options;

namespace Estat.Cluster.Tests.Gateway;

public sealed class PrefixTests : IDisposable
{
    private const string Shop = "estat_shop_0123456789abcdefghijkl";
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Events_of_a_key_with_a_prefix_lie_below_it_at_every_level_and_without_a_key_a_gateway_answers_401()
    {
        EstatOptions first = RunningSilo.OptionsIn(_folder, "silo-1", cluster => cluster with { Role = NodeRole.Silo });
        EstatOptions second = RunningSilo.OptionsIn(
            _folder, "silo-2", cluster => cluster with { Role = NodeRole.Silo, SeedAddr = first.Cluster.SiloAddr });
        await using (RunningSilo one = await RunningSilo.StartAsync(first))
        await using (RunningSilo two = await RunningSilo.StartAsync(second))
        await using (RunningGateway gateway = await RunningGateway.StartAsync(untilReady: true, [first with
        {
            Keys = first.Keys with { File = Keys() },
        }, second]))
        {
            using HttpResponseMessage refused = await gateway.PostAsync("without a key");
            Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
            foreach (string level in new[] { "memory", "disk", "replica", "stored" })
            {
                await Wait.UntilAsync(
                    async () => await PostAsync(gateway, level) == HttpStatusCode.OK, TimeSpan.FromSeconds(60), $"an ack at {level}");
            }
        }

        StoredEvent[] stored = [.. StoredEvents.FromFolder(_folder["data"])];
        Assert.All(["memory", "disk", "replica", "stored"], level => Assert.Contains(stored, each => each.Body == level));
        Assert.All(stored, each => Assert.StartsWith("lake/shop/dt=", each.Key, StringComparison.Ordinal));
    }

    private string Keys()
    {
        _ = KeyHash.TryOf(Shop, out KeyHash hash);
        using FileStream file = File.Create(_folder["keys.json"]);
        WriteKeyFile.Write(file, [new WriteKey { Name = "shop", Hashes = [hash], Prefix = "lake/shop" }]);
        return _folder["keys.json"];
    }

    private static async Task<HttpStatusCode> PostAsync(RunningGateway gateway, string level)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/collect", UriKind.Relative)) { Content = new StringContent(level) };
        request.Headers.Add("X-Estat-Ack", level);
        request.Headers.Add("X-Api-Key", Shop);
        using HttpResponseMessage answer = await gateway.Client.SendAsync(request);
        return answer.StatusCode;
    }
}
