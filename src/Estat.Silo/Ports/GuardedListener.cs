// Orleans' listener of a silo's port, behind a door and a room.
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Estat.Silo.Ports;

/// <summary>Lets nobody in before the door is open, nor beyond the room.</summary>
/// <param name="inner">Orleans' own.</param>
/// <param name="room">Who is inside.</param>
/// <param name="door">Completes when it is opened; asked when the first comes.</param>
internal sealed class GuardedListener(IConnectionListener inner, PortRoom room, Func<Task> door) : IConnectionListener
{
    private readonly TaskCompletionSource _unbound = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <inheritdoc/>
    public EndPoint EndPoint => inner.EndPoint;

    /// <inheritdoc/>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        if (await Task.WhenAny(door(), _unbound.Task).ConfigureAwait(false) == _unbound.Task)
        {
            return null;
        }

        while (true)
        {
            ConnectionContext? connection = await inner.AcceptAsync(cancellationToken).ConfigureAwait(false);
            if (connection is null || room.TryEnter(connection))
            {
                return connection;
            }

            PortRoom.Close(connection, "there is no room");
            _ = connection.DisposeAsync().AsTask(); // nobody waits for it: the next one stands at the door
        }
    }

    /// <inheritdoc/>
    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _unbound.TrySetResult();
        return inner.UnbindAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
