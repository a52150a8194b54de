// The listening socket: it accepts what there is room for, and rests where the process has no descriptor left.
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Estat.Base.Logging;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Estat.Http.Connections;

/// <summary>Makes listeners for Kestrel. Its own would try again at once, for ever, whatever accept fails with.</summary>
internal sealed class BoundedListenerFactory(ConnectionRoom room, IOptions<SocketTransportOptions> sockets, ILoggerFactory loggers)
    : IConnectionListenerFactory
{
    private const string Category = "Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets";

    /// <inheritdoc/>
    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        Socket listening;
        try
        {
            listening = sockets.Value.CreateBoundListenSocket(endpoint);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new AddressInUseException(error.Message, error); // Kestrel's word for it
        }

        listening.Listen(sockets.Value.Backlog);
        var connections = new SocketConnectionContextFactory(Like(sockets.Value), loggers.CreateLogger(Category));
        return ValueTask.FromResult<IConnectionListener>(
            new BoundedListener(listening, sockets.Value.NoDelay, connections, room, loggers.CreateLogger<BoundedListener>()));
    }

    // As Kestrel's own listener does it: the copy that everybody may make lacks the pool that gives memory back.
    [UnsafeAccessor(UnsafeAccessorKind.Constructor)]
    private static extern SocketConnectionFactoryOptions Like(SocketTransportOptions options);
}

/// <summary>Accepts one connection after another. Owns its socket.</summary>
internal sealed partial class BoundedListener(
    Socket listening, bool noDelay, SocketConnectionContextFactory connections, ConnectionRoom room, ILogger logger) : IConnectionListener
{
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan BetweenLogs = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _unbound = new();
    private readonly TellLimit _lines = new(BetweenLogs, TimeProvider.System);

    /// <inheritdoc/>
    public EndPoint EndPoint { get; } = listening.LocalEndPoint!;

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (!_unbound.IsCancellationRequested)
        {
            try
            {
                Socket socket = await listening.AcceptAsync(cancellationToken).ConfigureAwait(false);
                if (await TryOpenAsync(socket).ConfigureAwait(false) is { } connection)
                {
                    return connection;
                }
            }
            catch (Exception error) when (error is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return null; // unbound
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.ConnectionReset or SocketError.ConnectionAborted)
            {
                // Its client left while it waited in the backlog.
            }
            catch (SocketException error)
            {
                await RestAsync(error).ConfigureAwait(false);
            }
        }

        return null;
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _unbound.Cancel();
        listening.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _unbound.Cancel();
        listening.Dispose();
        connections.Dispose();
        _unbound.Dispose();
        return ValueTask.CompletedTask;
    }

    private async ValueTask<ConnectionContext?> TryOpenAsync(Socket socket)
    {
        if (!await room.TryTakeAsync().ConfigureAwait(false))
        {
            socket.Dispose();
            return null;
        }

        try
        {
            socket.NoDelay = noDelay && socket.LocalEndPoint is IPEndPoint;
            var connection = new OpenConnection(connections.Create(socket), room);
            room.Enter(connection);
            return connection;
        }
        catch
        {
            socket.Dispose();
            room.GiveBack();
            throw;
        }
    }

    // No descriptor, or no memory in the kernel: asking again at once would be an endless loop of failures. Those who wait stay in the backlog.
    private async Task RestAsync(SocketException error)
    {
        if (_lines.IsDue())
        {
            LogCannotAccept(logger, error.Message);
        }

        await room.ShrinkAsync().ConfigureAwait(false);
        try
        {
            await Task.Delay(Rest, _unbound.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Unbound.
        }
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The server cannot accept connections now: {Reason}. It closes idle connections, and allows fewer connections for a minute. If "
            + "file descriptors ran out, raise the limit (ulimit -n, LimitNOFILE) or lower MAX_CONNECTIONS. The server logs this at most once a "
            + "minute")]
    private static partial void LogCannotAccept(ILogger logger, string reason);
}
