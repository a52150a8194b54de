// A silo's ports hold a bounded number of connections, and nobody who does not say who he is.
using System.Net.Sockets;
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Cluster.Tests.Support;
using Estat.Collect.Http;
using Estat.Http.Listening;
using Estat.Silo.Ports;

namespace Estat.Cluster.Tests.Ports;

public sealed class SiloPortTests : IDisposable
{
    private const int Most = 8;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();
    private readonly List<TcpClient> _strangers = [];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_silent_connection_is_closed_after_HEADER_TIMEOUT(bool withTls)
    {
        using var ours = new Certificates(_folder, "ours");
        await using RunningSilo silo = await RunningSilo.StartAsync(WithHeaderTimeout(
            RunningSilo.OptionsIn(_folder, "silo-1", cluster => withTls ? ours.Give(cluster, "silo-1") : cluster), TimeSpan.FromSeconds(1)));
        await ConnectAsync(silo.Options.Cluster.SiloClientAddr[0], count: 4);
        await ConnectAsync(silo.Options.Cluster.SiloAddr, count: 4);
        await _strangers[0].GetStream().WriteAsync(new byte[3]); // less than any node says

        await UntilClosedAsync(8);
    }

    [Fact]
    public async Task Silent_connections_make_way_for_a_gateway_and_more_than_SILO_MAX_CONNECTIONS_are_never_held()
    {
        EstatOptions options = WithHeaderTimeout(
            RunningSilo.OptionsIn(_folder, "silo-1", cluster => cluster with { SiloMaxConnections = Most }), TimeSpan.FromHours(1));
        await using RunningSilo silo = await RunningSilo.StartAsync(options);
        await ConnectAsync(options.Cluster.SiloClientAddr[0], count: 3 * Most);
        await UntilClosedAsync(2 * Most);
        Assert.Equal(Most, _strangers.Count(IsOpen));

        await using RunningGateway gateway = await RunningGateway.StartAsync(untilReady: true, options);
        using HttpResponseMessage answer = await gateway.PostAsync("event");
        Assert.True(answer.IsSuccessStatusCode);

        // Who has said who it is stays, however many come.
        await ConnectAsync(options.Cluster.SiloClientAddr[0], count: 2 * Most);
        await UntilClosedAsync((4 * Most) + 1);
        using HttpResponseMessage next = await gateway.PostAsync("event");
        Assert.True(next.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Bytes_that_no_node_begins_with_end_the_connection_at_once()
    {
        await using RunningSilo silo = await RunningSilo.StartAsync(
            WithHeaderTimeout(RunningSilo.OptionsIn(_folder, "silo-1"), TimeSpan.FromHours(1)));
        await ConnectAsync(silo.Options.Cluster.SiloClientAddr[0], count: 1);
        await _strangers[0].GetStream().WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray());
        await UntilClosedAsync(1);
    }

    [Fact]
    public void A_limit_of_open_files_lowers_the_bound()
    {
        var options = new EstatOptions();
        Assert.Equal((1024, 16_384), SiloPorts.Share(options, Files(options, limit: null)));
        Assert.Equal((1024, 16_384), SiloPorts.Share(options, Files(options, limit: 65_536)));
        foreach (long limit in new long[] { 256, 1024, 4096 })
        {
            OpenFiles files = Files(options, limit);
            (int each, int http) = SiloPorts.Share(options, files);
            Assert.InRange(each, 1, limit / 4);
            Assert.InRange(http, each, limit);
            Assert.True(
                (2 * each) + http <= Math.Max(limit - files.Reserve, limit / 8), $"{each}, {each} and {http} of {limit}, {files.Reserve} kept");
        }
    }

    public void Dispose()
    {
        _strangers.ForEach(stranger => stranger.Dispose());
        _folder.Dispose();
    }

    private async Task ConnectAsync(ListenAddress address, int count)
    {
        for (int i = 0; i < count; i++)
        {
            var stranger = new TcpClient();
            await stranger.ConnectAsync(address.Address!, address.Port);
            _strangers.Add(stranger);
        }
    }

    private Task UntilClosedAsync(int count) =>
        Wait.UntilAsync(() => _strangers.Count(stranger => !IsOpen(stranger)) >= count, Limit, $"{count} connections to be closed",
            () => $"{_strangers.Count(IsOpen)} open");

    private static bool IsOpen(TcpClient stranger)
    {
        try
        {
            return !stranger.Client.Poll(0, SelectMode.SelectRead) || stranger.Client.Receive(new byte[1], SocketFlags.Peek) > 0;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static EstatOptions WithHeaderTimeout(EstatOptions options, TimeSpan timeout) =>
        options with { Http = options.Http with { HeaderTimeout = timeout } };

    private static OpenFiles Files(EstatOptions options, long? limit) =>
        OpenFiles.Of(options.Http.MaxConnections, FilesNeeded.Of(options.Collect, options.Keys), limit);
}
