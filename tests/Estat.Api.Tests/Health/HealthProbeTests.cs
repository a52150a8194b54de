// The program as its own health check, for images without a shell: what it asks, and what its exit code says.
using System.Net;
using System.Net.Sockets;
using Estat.Api.Tests.Hosting;
using Estat.Testing;

namespace Estat.Api.Tests.Health;

public sealed class HealthProbeTests
{
    [Fact]
    public async Task A_probe_ends_with_0_while_the_server_is_ready_and_with_1_when_there_is_none()
    {
        using var folder = new TempFolder();
        Uri address;
        await using (ServerProcess server = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["STORAGE_DIR"] = folder["data"], ["SPOOL_DIR"] = folder["spool"], ["DLQ_DIR"] = folder["dlq"], ["SPOOL_VOLATILE"] = "true",
        }))
        {
            address = server.BaseAddress;
            Assert.Equal((0, "", ""), await ServerCommand.RunAsync(folder.Path, [], ["--health", $"{address}health/ready"]));
        }

        (int exitCode, _, string errors) = await ServerCommand.RunAsync(folder.Path, [], ["--health", $"{address}health/ready"]);
        Assert.Equal(1, exitCode);
        Assert.Contains("did not answer", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_probe_ends_with_1_and_the_reason_when_the_answer_is_no_success()
    {
        using var folder = new TempFolder();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        Task answering = AnswerAsync(listener, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 8\r\n\r\ndraining");

        (int exitCode, _, string errors) = await ServerCommand.RunAsync(
            folder.Path, [], ["--health", $"http://{listener.LocalEndpoint}/health/ready"]);

        Assert.Equal(1, exitCode);
        Assert.Contains("503: draining", errors, StringComparison.Ordinal);
        await answering;
    }

    [Fact]
    public async Task A_probe_waits_three_seconds_for_a_server_that_does_not_answer()
    {
        using var folder = new TempFolder();
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();

        (int exitCode, _, string errors) = await ServerCommand.RunAsync(folder.Path, [], ["--health", $"http://{listener.LocalEndpoint}/"]);

        Assert.Equal(1, exitCode);
        Assert.Contains("did not answer", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData]
    [InlineData("here")]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("http://127.0.0.1/", "--ACK=disk")]
    public async Task A_probe_without_a_URL_ends_with_2(params string[] arguments)
    {
        using var folder = new TempFolder();

        (int exitCode, _, string errors) = await ServerCommand.RunAsync(folder.Path, [], ["--health", .. arguments]);

        Assert.Equal(2, exitCode);
        Assert.StartsWith("estat: --health needs a URL", errors, StringComparison.Ordinal);
    }

    private static async Task AnswerAsync(TcpListener listener, string answer)
    {
        using Socket socket = await listener.AcceptSocketAsync(TestContext.Current.CancellationToken);
        await socket.ReceiveAsync(new byte[4096], TestContext.Current.CancellationToken);
        await socket.SendAsync(System.Text.Encoding.ASCII.GetBytes(answer), TestContext.Current.CancellationToken);
    }
}
