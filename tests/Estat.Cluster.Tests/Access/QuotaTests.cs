// What a silo that takes events by HTTP remembers of its keys' quotas.
using System.Net;
using Estat.Api.Options;
using Estat.Base.Access;
using Estat.Cluster.Tests.Support;

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
        EstatOptions options = RunningSilo.OptionsIn(_folder, "silo");
        options = options with
        {
            Http = options.Http with { HttpAddr = $"127.0.0.1:{port}" },
            Keys = options.Keys with { File = Keys() },
        };
        Directory.CreateDirectory(options.Collect.SpoolDir);
        await File.WriteAllTextAsync(
            Path.Combine(options.Collect.SpoolDir, "write-key-quotas.json"), $$$"""{"day":"{{{DateTime.UtcNow:yyyy-MM-dd}}}","used":{"daily":3}}""");

        // Nobody may send before it is known what was used.
        Task<HttpStatusCode> first = FirstAnswer.KnockAsync(port, Daily, Limit);
        await using RunningSilo silo = await RunningSilo.StartAsync(options);
        Assert.Equal(HttpStatusCode.TooManyRequests, await first);
    }

    private string Keys()
    {
        _ = KeyHash.TryOf(Daily, out KeyHash hash);
        using FileStream file = File.Create(_folder["keys.json"]);
        WriteKeyFile.Write(file, [new WriteKey { Name = "daily", Hashes = [hash], DailyQuota = 3 }]);
        return _folder["keys.json"];
    }
}
