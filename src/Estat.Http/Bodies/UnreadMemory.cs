// Bounds what answers that nobody reads, and requests that nobody ends, may hold together: UNREAD_BYTES.
using System.Diagnostics.Metrics;
using Estat.Base.Logging;
using Microsoft.AspNetCore.Connections;

namespace Estat.Http.Bodies;

/// <summary>
/// Whatever waits for its client is written down here, with what it may hold at the most. Past the bound the connection that holds most is closed,
/// the one that has waited longest among equals; and so is one a single step of whose waits takes longer than <see cref="Patience"/>. What does not
/// wait is never seen here: an answer that the socket takes at once costs nothing. Any thread.
/// </summary>
internal sealed partial class UnreadMemory : IDisposable
{
    /// <summary>How long a client may take for one step of its answer (a slice of it, or half of a connection's buffer).</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan TellEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly LinkedList<UnreadWait> _waits = new(); // the longest first
    private readonly long _bound;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;
    private readonly HeapRelief _relief;
    private readonly ILogger _logger;
    private readonly TellLimit _lines;
    private readonly ITimer _timer;
    private long _bytes;
    private long _closed;

    /// <param name="bound">Bytes in all.</param>
    /// <param name="patience">How long a step may take; <see cref="Patience"/> at the least.</param>
    /// <param name="time">The clock.</param>
    /// <param name="relief">Is told when more than half of it is in use.</param>
    /// <param name="logger">Where closed connections are told of, once a minute.</param>
    internal UnreadMemory(long bound, TimeSpan patience, TimeProvider time, HeapRelief relief, ILogger<UnreadMemory> logger)
    {
        _bound = bound;
        _patience = patience > Patience ? patience : Patience;
        _time = time;
        _relief = relief;
        _logger = logger;
        _lines = new TellLimit(TellEvery, time);
        _timer = time.CreateTimer(static memory => ((UnreadMemory)memory!).Look(), this, LookEvery, LookEvery);
    }

    /// <summary>Bytes that are held now.</summary>
    internal long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Connections that were closed.</summary>
    internal long Closed => Interlocked.Read(ref _closed);

    /// <summary>Adds its metrics.</summary>
    internal void Observe(Meter meter)
    {
        meter.CreateObservableGauge(
            "estat_unread_bytes", () => Bytes, "By",
            "Memory held for answers that clients do not read and requests that they do not finish; at most UNREAD_BYTES");
        meter.CreateObservableCounter(
            "estat_unread_closed_total", () => Closed,
            description: "Connections closed because the client did not read answers or did not finish a request, for longer than 30 s or beyond "
                + "UNREAD_BYTES");
    }

    /// <summary>Something begins to wait for a client.</summary>
    /// <param name="connection">Whose client.</param>
    /// <param name="bytes">What it may hold at the most.</param>
    internal UnreadWait Begin(UnreadConnection connection, long bytes)
    {
        var wait = new UnreadWait(this, connection, bytes, _time.GetTimestamp());
        List<UnreadConnection>? over = null;
        lock (_gate)
        {
            Add(wait);
            if (_bytes > _bound / 2)
            {
                _relief.Press();
            }

            while (_bytes > _bound && _waits.Count > 0)
            {
                (over ??= []).Add(RemoveLargest());
            }
        }

        Close(over, "UNREAD_BYTES");
        return wait;
    }

    /// <summary>It waits no more, or will begin a new wait.</summary>
    internal void End(UnreadWait wait)
    {
        lock (_gate)
        {
            Remove(wait);
        }
    }

    /// <summary>A connection could not be closed: it ends by itself, or with the process.</summary>
    internal void OnNotClosed(Exception error) => LogNotClosed(_logger, error);

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        List<UnreadConnection>? over = null;
        lock (_gate)
        {
            while (_waits.First is { } first && _time.GetElapsedTime(first.Value.Since) > _patience)
            {
                UnreadConnection connection = first.Value.Connection;
                RemoveAll(connection);
                (over ??= []).Add(connection);
            }
        }

        Close(over, "30 s");
    }

    private void Add(UnreadWait wait)
    {
        if (wait.Connection.IsClosed)
        {
            return; // its memory is on its way back
        }

        wait.Node = _waits.AddLast(wait);
        wait.Connection.Bytes += wait.Bytes;
        _bytes += wait.Bytes;
    }

    private void Remove(UnreadWait wait)
    {
        if (wait.Node is not { } node)
        {
            return;
        }

        wait.Node = null;
        _waits.Remove(node);
        wait.Connection.Bytes -= wait.Bytes;
        _bytes -= wait.Bytes;
    }

    private UnreadConnection RemoveLargest()
    {
        UnreadConnection largest = _waits.First!.Value.Connection;
        foreach (UnreadWait wait in _waits)
        {
            largest = wait.Connection.Bytes > largest.Bytes ? wait.Connection : largest;
        }

        RemoveAll(largest);
        return largest;
    }

    private void RemoveAll(UnreadConnection connection)
    {
        connection.IsClosed = true;
        for (LinkedListNode<UnreadWait>? node = _waits.First, next; node is not null; node = next)
        {
            next = node.Next;
            if (ReferenceEquals(node.Value.Connection, connection))
            {
                Remove(node.Value);
            }
        }
    }

    // Never under the lock: what ends with a connection runs here and then.
    private void Close(List<UnreadConnection>? connections, string limit)
    {
        if (connections is null)
        {
            return;
        }

        Interlocked.Add(ref _closed, connections.Count);
        foreach (UnreadConnection connection in connections)
        {
            connection.Close();
        }

        if (_lines.IsDue(connections.Count, out long untold))
        {
            LogClosed(_logger, untold, limit);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The server closed {Connections} connections: their clients did not read answers or did not finish requests, for longer than 30 s "
            + "or beyond {Limit}. It logs this once a minute; estat_unread_closed_total counts all")]
    private static partial void LogClosed(ILogger logger, long connections, string limit);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Could not close a connection whose client does not read")]
    private static partial void LogNotClosed(ILogger logger, Exception error);
}

/// <summary>One connection, as <see cref="UnreadMemory"/> knows it. Kept as a feature of the connection, so its requests find it.</summary>
/// <param name="memory">What it is counted in.</param>
/// <param name="connection">What is closed.</param>
internal sealed class UnreadConnection(UnreadMemory memory, ConnectionContext connection)
{
    /// <summary>What its waits may hold; <see cref="UnreadMemory"/>'s to change.</summary>
    internal long Bytes { get; set; }

    /// <summary>Whether it is being closed; <see cref="UnreadMemory"/>'s to change.</summary>
    internal bool IsClosed { get; set; }

    /// <inheritdoc cref="UnreadMemory.Begin"/>
    internal UnreadWait Begin(long bytes) => memory.Begin(this, bytes);

    // On the pool: shutting a socket down runs what waits for it.
    internal void Close() => ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.Abort(), this, preferLocal: false);

    // What it throws would end the process.
    private void Abort()
    {
        try
        {
            connection.Abort(new ConnectionAbortedException("The client does not read its answers, or leaves a request unfinished."));
        }
        catch (Exception error)
        {
            memory.OnNotClosed(error);
        }
    }
}

/// <summary>Something that waits for its client; disposing of it ends the wait.</summary>
internal sealed class UnreadWait(UnreadMemory memory, UnreadConnection connection, long bytes, long since) : IDisposable
{
    internal UnreadConnection Connection { get; } = connection;

    internal long Bytes { get; } = bytes;

    internal long Since { get; } = since;

    internal LinkedListNode<UnreadWait>? Node { get; set; }

    /// <inheritdoc/>
    public void Dispose() => memory.End(this);
}
