// TLS between nodes: both sides are of the cluster's authority, or there is no connection.
using System.Net;
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Cluster.Tests.Support;
using Estat.Silo.Hosting;

namespace Estat.Cluster.Tests.Gateway;

public sealed class TlsTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly TempFolder _folder = new();

    [Fact]
    public async Task Nodes_of_one_authority_work_together_and_one_of_another_or_of_none_is_not_let_in()
    {
        using var ours = new Certificates(_folder, "ours");
        using var theirs = new Certificates(_folder, "theirs");
        EstatOptions first = RunningSilo.OptionsIn(_folder, "silo-1", cluster => ours.Give(cluster, "silo-1"));
        EstatOptions second = RunningSilo.OptionsIn(
            _folder, "silo-2", cluster => ours.Give(cluster, "silo-2") with { SeedAddr = first.Cluster.SiloAddr });
        await using RunningSilo one = await RunningSilo.StartAsync(first);
        await using RunningSilo two = await RunningSilo.StartAsync(second);
        EstatOptions stranger = first with { Cluster = theirs.Give(first.Cluster, "gateway") };
        EstatOptions plain = first with { Cluster = first.Cluster with { TlsCert = null, TlsKey = null, TlsCa = null } };
        await using RunningGateway ofTheirs = await RunningGateway.StartAsync(untilReady: false, stranger);
        await using RunningGateway without = await RunningGateway.StartAsync(untilReady: false, plain);
        await using RunningGateway gateway = await RunningGateway.StartAsync(
            untilReady: true, first with { Cluster = ours.Give(first.Cluster, "gateway") }, second);
        await Wait.UntilAsync(
            async () => (await gateway.PostAsync("event", "stored")).StatusCode == HttpStatusCode.OK, Limit, "an event to be stored through TLS");

        // By now they would have connected, had they been let in: they started before the one that has.
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await ofTheirs.PostAsync("theirs")).StatusCode);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await without.PostAsync("plain")).StatusCode);
    }

    [Fact]
    public void A_file_that_is_no_certificate_ends_the_start_with_the_option_s_name()
    {
        File.WriteAllText(_folder["no.pem"], "no certificate");
        EstatOptions options = RunningSilo.OptionsIn(_folder, "silo-1", cluster => cluster with
        {
            TlsCert = _folder["no.pem"], TlsKey = _folder["no.pem"], TlsCa = _folder["no.pem"],
        });
        OptionException error = Assert.Throws<OptionException>(() => new SiloServer(options, TimeProvider.System, isTerminal: false));
        Assert.StartsWith($"TLS_CERT={_folder["no.pem"]}: must be ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
    }

    public void Dispose() => _folder.Dispose();
}
