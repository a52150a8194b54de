// Reading a body whose client leaves while something else ends the read.
using System.IO.Pipelines;
using Estat.Http.Bodies;

namespace Estat.Http.Tests.Bodies;

public sealed class BodyBufferTests
{
    // A timer cancels on a thread of its own, where an exception ends the process.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_leaves_while_BODY_TIMEOUT_strikes_ends_the_read_and_nothing_else(bool isOfServer)
    {
        using var ending = new CancellationTokenSource();
        var body = new LeftBody(isOfServer ? new ArithmeticException("a fault of the server's") : new IOException("The client left."));
        using var buffer = new BodyBuffer(1000, memory: null);
        using var pace = new BodyPace(ending, TimeSpan.FromMinutes(1), () => true, TimeProvider.System);
        Task reading = buffer.ReadAsync(body, pace, ending.Token).AsTask();

        await ending.CancelAsync();
        body.Leave();

        ClientLeftException left = await Assert.ThrowsAsync<ClientLeftException>(() => reading);
        Assert.Equal("The client reset the request stream.", left.Message);
    }

    // As Kestrel's is once the client of a request over HTTP/2 has gone.
    private sealed class LeftBody(Exception fault) : PipeReader
    {
        private readonly TaskCompletionSource<ReadResult> _reading = new();

        internal void Leave() => _reading.SetException(new IOException("The client reset the request stream."));

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => new(_reading.Task);

        public override bool TryRead(out ReadResult result) => throw new NotSupportedException();

        public override void AdvanceTo(SequencePosition consumed) => throw new NotSupportedException();

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => throw new NotSupportedException();

        public override void CancelPendingRead() => throw fault;

        public override void Complete(Exception? exception = null)
        {
        }
    }
}
