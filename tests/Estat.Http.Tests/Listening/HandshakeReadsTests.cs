// Threads that poll sockets have others to serve than one client's handshake.
using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Estat.Http.Listening;

namespace Estat.Http.Tests.Listening;

public sealed class HandshakeReadsTests
{
    [Fact]
    public async Task What_comes_during_a_handshake_is_gone_on_with_on_the_pool_and_later_where_it_came()
    {
        var pipe = new Pipe(
            new PipeOptions(readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline, useSynchronizationContext: false));
        var reads = new HandshakeReads(pipe.Reader);

        Assert.True(await WasOnPoolAsync("hello"));
        reads.Over();
        Assert.False(await WasOnPoolAsync("request"));

        async Task<bool> WasOnPoolAsync(string text)
        {
            Task<bool> reading = ReadAsync(text);
            var polling = new Thread(() =>
            {
                // As a thread of the runtime's that found the socket readable.
                pipe.Writer.Write(Encoding.ASCII.GetBytes(text));
                pipe.Writer.FlushAsync().AsTask().GetAwaiter().GetResult();
            });
            polling.Start();
            polling.Join();
            return await reading.WaitAsync(TimeSpan.FromSeconds(30));
        }

        async Task<bool> ReadAsync(string text)
        {
            ReadResult result = await reads.ReadAsync(TestContext.Current.CancellationToken).ConfigureAwait(false);
            bool isPool = Thread.CurrentThread.IsThreadPoolThread;
            Assert.Equal(text.Length, result.Buffer.Length);
            reads.AdvanceTo(result.Buffer.End);
            return isPool;
        }
    }
}
