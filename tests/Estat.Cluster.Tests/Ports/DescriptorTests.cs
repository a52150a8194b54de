// A silo that may open few files: crowds at its three ports leave the spool what it needs, and nothing aborts.
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;

namespace Estat.Cluster.Tests.Ports;

/// <summary>The standalone server has the same test.</summary>
public sealed class DescriptorTests : IDisposable
{
    private const int Descriptors = 640;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly TempFolder _folder = new();
    private readonly List<TcpClient> _crowd = [];

    public void Dispose()
    {
        _crowd.ForEach(stranger => stranger.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public async Task More_silent_connections_than_descriptors_at_every_port_keep_no_event_from_the_disk()
    {
        int[] ports = [FreePort.Next(), FreePort.Next(), FreePort.Next()];
        string[] addresses = [.. ports.Select(port => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{port}"))];
        var options = new Dictionary<string, string>
        {
            ["ROLE"] = "both", ["CLUSTERING"] = "localhost",
            ["HTTP_ADDR"] = addresses[0], ["SILO_ADDR"] = addresses[1], ["SILO_CLIENT_ADDR"] = addresses[2],
            ["CLUSTER_ID"] = Path.GetFileName(_folder.Path), ["STORAGE_DIR"] = _folder["data"], ["SPOOL_DIR"] = _folder["spool"],
            ["DLQ_DIR"] = _folder["dlq"], ["SPOOL_VOLATILE"] = "true", ["HEADER_TIMEOUT"] = "10m", ["LOG_LEVEL"] = "warning",
        };
        await using ChildProcess silo = ChildProcess.Launch(
            "the silo", ["bash", "-c", $"ulimit -n {Descriptors}; exec \"$0\" \"$@\"", .. ChildProcess.DotnetCommand("Estat.Silo", [])], options);
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.Zero })
        {
            BaseAddress = new Uri($"http://{addresses[0]}"), Timeout = Limit,
        };
        await Wait.UntilAsync(() => IsReadyAsync(silo, client), Limit, "the silo to be ready", () => silo.AllOutput);
        Match told = Match.Empty;
        await Wait.UntilAsync(
            () => (told = Regex.Match(silo.AllOutput, $"may open {Descriptors} files: each of its two ports takes ([0-9]+) connections")).Success,
            Limit, "the log's line about few open files", () => silo.AllOutput);
        int most = int.Parse(told.Groups[1].Value, CultureInfo.InvariantCulture);

        foreach (int port in ports)
        {
            await CrowdAsync(port, Descriptors);
        }

        int inside = 0;
        await Wait.UntilAsync(
            async () => (inside = await ConnectionsAsync(client)) > 0 && inside <= 2 * most, Limit,
            $"the silo's ports to hold {most} connections each", () => $"{inside} connections\n{silo.AllOutput}");
        for (int i = 0; i < 20; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/collect") { Content = new StringContent("honest") };
            request.Headers.Add("X-Estat-Ack", "disk");
            using HttpResponseMessage answer = await client.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        silo.ThrowIfEnded("the crowds had left");
        Assert.True(Directory.GetFiles($"/proc/{silo.Id}/fd").Length < Descriptors, "no descriptor is left");
        Assert.DoesNotContain(silo.Output, line => Regex.IsMatch(line, "\"CannotAccept\"|\"level\":\"critical\""));
        silo.Terminate();
        Assert.Equal(0, await silo.WaitForExitAsync(Limit));
        Assert.Equal(20, StoredEvents.FromFolder(_folder["data"]).Count);
    }

    private static async Task<bool> IsReadyAsync(ChildProcess silo, HttpClient client)
    {
        silo.ThrowIfEnded("it was ready");
        try
        {
            using HttpResponseMessage answer = await client.GetAsync(new Uri("/health/ready", UriKind.Relative));
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static async Task<int> ConnectionsAsync(HttpClient client)
    {
        Match gauge = Regex.Match(await client.GetStringAsync(new Uri("/metrics", UriKind.Relative)), "\nestat_silo_connections ([0-9]+)");
        return gauge.Success ? int.Parse(gauge.Groups[1].Value, CultureInfo.InvariantCulture) : 0;
    }

    private async Task CrowdAsync(int port, int count)
    {
        for (int i = 0; i < count; i++)
        {
            var stranger = new TcpClient();
            _crowd.Add(stranger);
            try
            {
                await stranger.ConnectAsync(IPAddress.Loopback, port).WaitAsync(Limit);
            }
            catch (SocketException)
            {
                // There was no place for it, and it was closed before this side knew that it was open.
            }
        }
    }
}
