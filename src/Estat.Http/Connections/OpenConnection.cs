// A connection that has a place in the room, from accept until its descriptor is back.
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Estat.Http.Connections;

/// <summary>Hands everything on to the transport's connection, and gives its place back when that is disposed of.</summary>
internal sealed class OpenConnection : ConnectionContext
{
    private readonly ConnectionContext _inner;
    private readonly ConnectionRoom _room;
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="inner">The transport's.</param>
    /// <param name="room">Where it has a place already.</param>
    internal OpenConnection(ConnectionContext inner, ConnectionRoom room)
    {
        _inner = inner;
        _room = room;
        inner.Features.Set(Seat);
    }

    /// <summary>Whether it is idle.</summary>
    internal ConnectionSeat Seat { get; } = new();

    /// <summary>Its place in the room's list; the room's own.</summary>
    internal int Index { get; set; }

    /// <summary>Its number among all that were accepted: the order of those that are idle since the same moment.</summary>
    internal long Number { get; set; }

    /// <summary>Completes once its descriptor is free.</summary>
    internal Task Gone => _gone.Task;

    /// <inheritdoc/>
    public override string ConnectionId
    {
        get => _inner.ConnectionId;
        set => _inner.ConnectionId = value;
    }

    /// <inheritdoc/>
    public override IFeatureCollection Features => _inner.Features;

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items
    {
        get => _inner.Items;
        set => _inner.Items = value;
    }

    /// <inheritdoc/>
    public override IDuplexPipe Transport
    {
        get => _inner.Transport;
        set => _inner.Transport = value;
    }

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed
    {
        get => _inner.ConnectionClosed;
        set => _inner.ConnectionClosed = value;
    }

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint
    {
        get => _inner.LocalEndPoint;
        set => _inner.LocalEndPoint = value;
    }

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint
    {
        get => _inner.RemoteEndPoint;
        set => _inner.RemoteEndPoint = value;
    }

    /// <inheritdoc/>
    public override void Abort() => _inner.Abort();

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => _inner.Abort(abortReason);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        try
        {
            await _inner.DisposeAsync().ConfigureAwait(false);
        }
        finally
        {
            await base.DisposeAsync().ConfigureAwait(false);
            _room.Leave(this);
            _gone.TrySetResult();
        }
    }
}
