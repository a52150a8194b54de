// INFLIGHT_BYTES is for everybody, over real connections too.
using System.Text;
using Estat.Api.Tests.Bulk;
using Estat.Testing;

namespace Estat.Api.Tests.Http;

public sealed class InflightBytesTests
{
    [Fact]
    public async Task Batches_of_one_address_that_never_end_keep_no_other_address_out()
    {
        await using RunningServer server = await RunningServer.StartAsync(
            options => options with
            {
                Http = options.Http with { InflightBytes = 4 << 20 },
                Collect = options.Collect with { MaxBatchBodySize = 1 << 20 },
            });
        byte[] batch = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('b', 99) + "\n", 1000)));
        var hostile = new List<RawHttp>();
        try
        {
            RawAnswer? refused = null;
            for (int i = 0; i < 10; i++)
            {
                RawHttp connection = await server.ConnectAsync();
                hostile.Add(connection);
                await connection.SendAsync(RawHttp.Post("X-Forwarded-For: 203.0.113.66\r\nContent-Length: 1000000\r\n", "/collect/batch"));
                    await connection.TrySendAsync(string.Concat(Enumerable.Repeat(new string('s', 99) + "\n", 9000)));
            }

            await Wait.UntilAsync(() => hostile.Any(connection => connection.HasAnswer), TimeSpan.FromSeconds(20), "one of them to be turned away");
            refused = await hostile.First(connection => connection.HasAnswer).ReadAnswerAsync();
            Assert.Equal(429, refused.Status);
            Assert.Equal("1", Assert.Single(refused.Headers["Retry-After"]));
            Assert.Contains("INFLIGHT_BYTES", refused.Detail, StringComparison.Ordinal);

            for (int i = 0; i < 10; i++)
            {
                Assert.Equal(200, (await server.PostBatchAsync(batch)).Status);
            }
        }
        finally
        {
            hostile.ForEach(connection => connection.Reset());
        }
    }
}
