// Answers on their way to the socket without the connection's pipe.
using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Estat.Http.FastDoor;

/// <summary>
/// Sends answers by a call to the kernel that never waits: the pipe and what reads from it cost a fifteenth of a request. What
/// the socket does not take at once goes to the pipe, with all that follows: the pipe waits for the client, and its waits are bounded. Used by the
/// owner of a connection's answers.
/// </summary>
internal sealed class StraightSend : IBufferWriter<byte>
{
    // One a thread: what is written by a turn is sent in the same turn.
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? _text;

    private readonly Socket _socket;
    private bool _isOver;

    private StraightSend(Socket socket)
    {
        _socket = socket;
        socket.Blocking = false; // or the runtime would wait for the client on this thread
    }

    private static ArrayBufferWriter<byte> Text => _text ??= new ArrayBufferWriter<byte>(4096);

    /// <summary>The way of a connection; null where something stands between HTTP and the socket, such as TLS.</summary>
    internal static StraightSend? Of(ConnectionContext connection) =>
        connection.Features.Get<ITlsHandshakeFeature>() is null && connection.Features.Get<IConnectionSocketFeature>() is { } feature
            ? new StraightSend(feature.Socket) : null;

    /// <inheritdoc/>
    public void Advance(int count) => Text.Advance(count);

    /// <inheritdoc/>
    public Memory<byte> GetMemory(int sizeHint = 0) => Text.GetMemory(sizeHint);

    /// <inheritdoc/>
    public Span<byte> GetSpan(int sizeHint = 0) => Text.GetSpan(sizeHint);

    /// <summary>A turn of writing begins on this thread. Whatever another one may have left is not this connection's.</summary>
    internal static void Begin() => _text?.ResetWrittenCount();

    /// <summary>Sends what this thread has written.</summary>
    /// <param name="pipe">Gets what could not be sent; it is to be flushed then.</param>
    /// <returns>Whether all is on its way.</returns>
    internal bool TrySend(PipeWriter pipe)
    {
        ReadOnlySpan<byte> text = Text.WrittenSpan;
        if (text.IsEmpty)
        {
            return true;
        }

        int sent = 0;
        if (!_isOver)
        {
            sent = _socket.Send(text, SocketFlags.None, out SocketError error);
            sent = error == SocketError.Success ? sent : 0; // the pipe meets the same error, and knows what to do
            _isOver = sent < text.Length;
        }

        if (sent < text.Length)
        {
            pipe.Write(text[sent..]);
        }

        Text.ResetWrittenCount();
        return !_isOver;
    }
}
