// TLS handshakes off the threads that poll sockets: a signature takes up to a millisecond, in which such a thread would serve nobody.
using System.IO.Pipelines;
using Estat.Base.Threading;
using Microsoft.AspNetCore.Connections;

namespace Estat.Http.Listening;

/// <summary>
/// What a connection receives until its handshake is over is gone on with on the thread pool. Afterwards nothing is between: to decrypt a request
/// takes microseconds. One reader: the connection's TLS.
/// </summary>
internal sealed class HandshakeReads(PipeReader connection) : PipeReader
{
    private volatile bool _isOver;

    /// <summary>To stand before TLS.</summary>
    internal static Func<ConnectionDelegate, ConnectionDelegate> Begin { get; } = static next => async connection =>
    {
        IDuplexPipe transport = connection.Transport;
        var reads = new HandshakeReads(transport.Input);
        connection.Features.Set(reads);
        connection.Transport = new Transport(reads, transport.Output);
        try
        {
            await next(connection).ConfigureAwait(false);
        }
        finally
        {
            connection.Transport = transport;
        }
    };

    /// <summary>To stand behind TLS.</summary>
    internal static Func<ConnectionDelegate, ConnectionDelegate> End { get; } = static next => connection =>
    {
        connection.Features.Get<HandshakeReads>()!.Over();
        return next(connection);
    };

    /// <summary>The handshake is over.</summary>
    internal void Over() => _isOver = true;

    /// <inheritdoc/>
    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        _isOver ? connection.ReadAsync(cancellationToken) : ReadForHandshakeAsync(cancellationToken);

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result) => connection.TryRead(out result);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => connection.AdvanceTo(consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => connection.AdvanceTo(consumed, examined);

    /// <inheritdoc/>
    public override void CancelPendingRead() => connection.CancelPendingRead();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => connection.Complete(exception);

    private async ValueTask<ReadResult> ReadForHandshakeAsync(CancellationToken cancellationToken)
    {
        ReadResult result = await connection.ReadAsync(cancellationToken).ConfigureAwait(false);
        await PoolThread.Switch();
        return result;
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
