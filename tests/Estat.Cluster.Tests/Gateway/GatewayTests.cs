// Events over HTTP at a gateway, kept by silos, over real connections.
using System.Net;
using Estat.Api.Options;
using Estat.Cluster.Tests.Support;
using Estat.Http.Options;

namespace Estat.Cluster.Tests.Gateway;

public sealed class GatewayTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string[] Stored => [.. StoredEvents.FromFolder(_folder["data"]).Select(stored => stored.Body).Order(StringComparer.Ordinal)];

    [Fact]
    public async Task An_event_is_acknowledged_at_the_level_that_the_silo_reached_and_is_in_the_batch_that_the_answer_names()
    {
        await using RunningSilo silo = await RunningSilo.StartAsync(
            RunningSilo.OptionsIn(_folder, "silo-1", cluster => cluster with { Role = NodeRole.Silo }));
        await using (RunningGateway gateway = await RunningGateway.StartAsync(untilReady: true, silo.Options))
        {
            foreach (string level in new[] { "memory", "disk", "stored" })
            {
                using HttpResponseMessage answer = await gateway.PostAsync($"at {level}", level);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
                Assert.Equal(level, Assert.Single(answer.Headers.GetValues("X-Estat-Ack")));
                Assert.Contains(silo.Instance, Assert.Single(answer.Headers.GetValues("X-Estat-Key")), StringComparison.Ordinal);
            }

            Assert.Equal(["at stored"], Stored);
        }

        await silo.StopAsync();
        Assert.Equal(["at disk", "at memory", "at stored"], Stored);
    }

    [Fact]
    public async Task A_pure_silo_takes_no_events_over_HTTP_but_answers_its_operators()
    {
        await using RunningSilo silo = await RunningSilo.StartAsync(
            RunningSilo.OptionsIn(_folder, "silo-1", cluster => cluster with { Role = NodeRole.Silo }));
        using var client = new HttpClient { BaseAddress = silo.Server.Address };
        using var content = new StringContent("event");
        Assert.Equal(HttpStatusCode.NotFound, (await client.PostAsync(new Uri("/collect", UriKind.Relative), content)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync(new Uri("/health/ready", UriKind.Relative))).StatusCode);
        Assert.Contains("estat_recovery_ticks_total", await client.GetStringAsync(new Uri("/metrics", UriKind.Relative)), StringComparison.Ordinal);
        Assert.Contains("<html", await client.GetStringAsync(new Uri("/orleans/", UriKind.Relative)), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Without_a_silo_it_answers_503_at_once_and_is_not_ready_and_goes_on_as_soon_as_there_is_one()
    {
        EstatOptions options = RunningSilo.OptionsIn(_folder, "silo-1");
        await using RunningGateway gateway = await RunningGateway.StartAsync(untilReady: false, options);
        using HttpResponseMessage refused = await gateway.PostAsync("too early");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await gateway.Client.GetAsync(new Uri("/health/ready", UriKind.Relative))).StatusCode);

        await using RunningSilo silo = await RunningSilo.StartAsync(options);
        await gateway.UntilReadyAsync();
        using HttpResponseMessage taken = await gateway.PostAsync("in time", "stored");
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
        Assert.Equal(["in time"], Stored);
    }

    [Fact]
    public async Task While_silos_restart_one_after_the_other_nothing_that_was_acknowledged_is_lost_or_doubled()
    {
        EstatOptions first = RunningSilo.OptionsIn(_folder, "silo-1");
        EstatOptions second = RunningSilo.OptionsIn(_folder, "silo-2", cluster => cluster with { SeedAddr = first.Cluster.SiloAddr });
        RunningSilo one = await RunningSilo.StartAsync(first);
        RunningSilo two = await RunningSilo.StartAsync(second);
        var acknowledged = new List<string>();
        await using (RunningGateway gateway = await RunningGateway.StartAsync(untilReady: true, first, second))
        {
            await SendAsync(gateway, "both", acknowledged);
            await two.StopAsync();
            await SendAsync(gateway, "one alone", acknowledged);
            two = await RunningSilo.StartAsync(second);
            await SendAsync(gateway, "both again", acknowledged);
        }

        await two.StopAsync();
        await one.StopAsync();
        Assert.Equal(acknowledged.Order(StringComparer.Ordinal), Stored);
    }

    public void Dispose() => _folder.Dispose();

    // As a client does after a 503: the same event is not sent again here, so that each is stored at most once.
    private static async Task SendAsync(RunningGateway gateway, string phase, List<string> acknowledged)
    {
        int taken = 0;
        for (int number = 1; taken < 20; number++)
        {
            Assert.True(number < 500, $"only {taken} events were taken: {phase}");
            using HttpResponseMessage answer = await gateway.PostAsync($"{phase} {number}");
            if (answer.IsSuccessStatusCode)
            {
                acknowledged.Add($"{phase} {number}");
                taken++;
            }
        }
    }
}
