// What a silo that takes events by HTTP remembers of its keys' quotas.
using System.Net;
using System.Net.Sockets;
using Estat.Cluster.Tests.Support;
using Estat.Core.Keys;
using Estat.Core.Options;

namespace Estat.Cluster.Tests.Access;

public sealed class QuotaTests : IDisposable
{
    private const string Daily = "estat_daily_0123456789abcdefghijkl";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_day_that_was_used_up_before_a_restart_is_used_up_for_the_first_request_after_it()
    {
        int port = FreePort.Next();
        EstatOptions options = RunningSilo.OptionsIn(_folder, "silo") with { HttpAddr = $"127.0.0.1:{port}", WriteKeysFile = Keys() };
        using HeldFile quotas = await HeldFile.CreateAsync(Path.Combine(options.SpoolDir, "write-key-quotas.json"));
        var starting = Task.Run(() => RunningSilo.StartAsync(options));
        await quotas.UntilReadAsync(Limit);

        // Nobody may send before it is known what was used.
        using var early = new TcpClient();
        await Assert.ThrowsAsync<SocketException>(() => early.ConnectAsync(IPAddress.Loopback, port));
        quotas.Give($$$"""{"day":"{{{DateTime.UtcNow:yyyy-MM-dd}}}","used":{"daily":3}}""");
        await using RunningSilo silo = await starting;
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = silo.Server.Address };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/collect", UriKind.Relative)) { Content = new StringContent("event") };
        request.Headers.Add("X-Api-Key", Daily);
        using HttpResponseMessage answer = await client.SendAsync(request);
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
    }

    private string Keys()
    {
        _ = KeyHash.TryOf(Daily, out KeyHash hash);
        using FileStream file = File.Create(_folder["keys.json"]);
        WriteKeyFile.Write(file, [new WriteKey { Name = "daily", Hashes = [hash], DailyQuota = 3 }]);
        return _folder["keys.json"];
    }
}
