// A client that never stops sending takes its share of the server, not all of it.
using System.Net.Sockets;
using System.Text;
using Estat.Testing;

namespace Estat.Api.Tests.Hosting;

public sealed class ThreadTurnsTests
{
    private const int Greedy = 4;
    private const int Lone = 50;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(null)]
    [InlineData("memory")]
    [InlineData("disk")]
    public async Task Clients_that_pipeline_without_end_keep_nobody_else_waiting(string? firstAt)
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await ServerProcess.StartAsync(new Dictionary<string, string>
        {
            ["STORAGE_DIR"] = folder["data"],
            ["SPOOL_DIR"] = folder["spool"],
            ["DLQ_DIR"] = folder["dlq"],
            ["LOG_LEVEL"] = "warning",
        });
        using var enough = new CancellationTokenSource();
        long taken = 0;
        Task[] greedy = [.. Enumerable.Range(0, Greedy).Select(_ => Task.Run(() => PipelineAsync(enough.Token)))];
        await Wait.UntilAsync(() => Volatile.Read(ref taken) > 1_000_000, Patience, "the greedy clients to be answered");

        for (int i = 0; i < Lone; i++)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/collect") { Content = new StringContent("lone") };
            request.Headers.Add("X-Estat-Ack", "disk");
            using HttpResponseMessage answer = await server.Client.SendAsync(request).WaitAsync(Patience);
            Assert.True((int)answer.StatusCode is 200 or 503, $"{(int)answer.StatusCode}");
        }

        await enough.CancelAsync();
        await Task.WhenAll(greedy);

        // Without a first event, nothing ever makes the thread that polls wait. One at disk is answered by the thread that syncs, which then finds
        // the others.
        async Task PipelineAsync(CancellationToken until)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(server.BaseAddress.Host, server.BaseAddress.Port, CancellationToken.None);
            NetworkStream stream = client.GetStream();
            const string Empty = "POST /collect HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
            string first = firstAt is null ? Empty : $"POST /collect HTTP/1.1\r\nHost: a\r\nX-Estat-Ack: {firstAt}\r\nContent-Length: 1\r\n\r\na";
            byte[] many = Encoding.ASCII.GetBytes(first + string.Concat(Enumerable.Repeat(Empty, firstAt is null ? 2_000 : 63)));
            Task reading = ReadAsync();
            try
            {
                while (!until.IsCancellationRequested)
                {
                    await stream.WriteAsync(many, until);
                }
            }
            catch (OperationCanceledException)
            {
            }

            client.Client.Shutdown(SocketShutdown.Send);
            client.Client.Close(0);
            await reading;

            async Task ReadAsync()
            {
                byte[] buffer = new byte[1 << 16];
                try
                {
                    for (int read; (read = await stream.ReadAsync(buffer, CancellationToken.None)) > 0;)
                    {
                        Interlocked.Add(ref taken, read);
                    }
                }
                catch (IOException)
                {
                }
            }
        }
    }
}
