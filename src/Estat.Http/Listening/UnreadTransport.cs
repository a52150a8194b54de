// Sees where a connection waits for its client: a socket that takes no more, or a request that does not end.
using System.Buffers;
using System.IO.Pipelines;
using Estat.Http.Bodies;
using Microsoft.AspNetCore.Connections;

namespace Estat.Http.Listening;

/// <summary>
/// Stands between HTTP and what carries it, TLS or the socket. What does not wait passes with a compare; a flush that waits, and a request of which
/// more than a block of memory has come and not its end, is charged to <see cref="UnreadMemory"/> meanwhile.
/// </summary>
internal static class UnreadTransport
{
    /// <summary>
    /// Bytes that a socket's requests wait in, and as many of its answers: past them it is not read from, or waits to be read by the client.
    /// </summary>
    internal const int Buffer = 64 * 1024;

    // A connection of HTTP/2 whose socket takes no more may have answers of a hundred streams.
    private const int SharedConnection = 1 << 20;
    private const int Connection = (2 * Buffer) + (16 * 1024);

    /// <summary>Puts it around a connection.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="memory">Where its waits are counted.</param>
    /// <param name="isShared">Whether it is one of HTTP/2.</param>
    /// <returns>To be disposed of when the connection has ended.</returns>
    internal static IDisposable Wrap(ConnectionContext connection, UnreadMemory memory, bool isShared)
    {
        var unread = new UnreadConnection(memory, connection);
        connection.Features.Set(unread);
        IDuplexPipe transport = connection.Transport;
        var requests = new Requests(transport.Input, unread);
        connection.Transport = new Transport(requests, new Answers(transport.Output, unread, isShared ? SharedConnection : Connection));
        return requests;
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;

    // One reader; a wait is begun and ended by it alone.
    private sealed class Requests(PipeReader inner, UnreadConnection connection) : PipeReader, IDisposable
    {
        private UnreadWait? _wait;

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) => inner.ReadAsync(cancellationToken);

        public override bool TryRead(out ReadResult result) => inner.TryRead(out result);

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            if (_wait is not null || !ReferenceEquals(consumed.GetObject(), examined.GetObject()))
            {
                Count(consumed, examined);
            }

            inner.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public void Dispose() => _wait?.Dispose();

        // What was looked at and not taken is the beginning of something whose end has not come.
        private void Count(SequencePosition consumed, SequencePosition examined)
        {
            long kept = consumed.GetObject() is ReadOnlySequenceSegment<byte> first && examined.GetObject() is ReadOnlySequenceSegment<byte> last
                ? last.RunningIndex + examined.GetInteger() - first.RunningIndex - consumed.GetInteger()
                : 0;
            if (_wait is { } wait && (kept == 0 || kept > wait.Bytes))
            {
                wait.Dispose();
                _wait = null;
            }

            _wait ??= kept > 0 ? connection.Begin(2 * kept) : null;
        }
    }

    private sealed class Answers(PipeWriter inner, UnreadConnection connection, int held) : PipeWriter
    {
        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes) => inner.Advance(bytes);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
        {
            ValueTask<FlushResult> flush = inner.FlushAsync(cancellationToken);
            return flush.IsCompleted ? flush : WaitAsync(flush);
        }

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            ValueTask<FlushResult> write = inner.WriteAsync(source, cancellationToken);
            return write.IsCompleted ? write : WaitAsync(write);
        }

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        private async ValueTask<FlushResult> WaitAsync(ValueTask<FlushResult> flush)
        {
            using UnreadWait wait = connection.Begin(held);
            return await flush.ConfigureAwait(false);
        }
    }
}
