// Answers that nobody reads and requests that nobody ends hold a stated number of bytes, and not for ever.
using Estat.Http.Bodies;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Http.Tests.Bodies;

public sealed class UnreadMemoryTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly HeapRelief _relief;
    private readonly UnreadMemory _memory;

    public UnreadMemoryTests()
    {
        _relief = new HeapRelief(_time);
        _memory = new UnreadMemory(1000, TimeSpan.Zero, _time, _relief, NullLogger<UnreadMemory>.Instance);
    }

    public void Dispose()
    {
        _memory.Dispose();
        _relief.Dispose();
    }

    [Fact]
    public async Task Past_the_bound_the_connection_that_holds_most_is_closed_and_the_others_go_on()
    {
        (DefaultConnectionContext small, UnreadConnection one) = Connect();
        (DefaultConnectionContext large, UnreadConnection two) = Connect();
        one.Begin(300);
        two.Begin(300);
        two.Begin(300);
        Assert.Equal(900, _memory.Bytes);

        one.Begin(101);

        await UntilClosedAsync(large);
        Assert.False(small.ConnectionClosed.IsCancellationRequested);
        Assert.Equal((401, 1), (_memory.Bytes, _memory.Closed));
    }

    [Fact]
    public async Task Of_connections_that_hold_the_same_the_one_that_has_waited_longest_is_closed()
    {
        (DefaultConnectionContext first, UnreadConnection one) = Connect();
        (DefaultConnectionContext second, UnreadConnection two) = Connect();
        one.Begin(600);
        two.Begin(600);
        await UntilClosedAsync(first);
        Assert.False(second.ConnectionClosed.IsCancellationRequested);
    }

    [Fact]
    public async Task A_connection_that_alone_holds_more_than_the_bound_is_closed()
    {
        (DefaultConnectionContext connection, UnreadConnection unread) = Connect();
        using UnreadWait wait = unread.Begin(1001);
        await UntilClosedAsync(connection);
        Assert.Equal(0, _memory.Bytes);
    }

    [Fact]
    public async Task A_client_that_takes_nothing_for_30_s_is_closed_and_one_that_reads_on_is_not()
    {
        (DefaultConnectionContext stuck, UnreadConnection one) = Connect();
        (DefaultConnectionContext reading, UnreadConnection two) = Connect();
        one.Begin(10);
        for (int i = 0; i < 32; i++)
        {
            using UnreadWait wait = two.Begin(10);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        await UntilClosedAsync(stuck);
        Assert.False(reading.ConnectionClosed.IsCancellationRequested);
        Assert.Equal(0, _memory.Bytes);
    }

    [Fact]
    public async Task A_connection_that_cannot_be_closed_ends_neither_the_process_nor_the_closing_of_others()
    {
        using var log = new LogLines();
        using var memory = new UnreadMemory(1000, TimeSpan.Zero, _time, _relief, new Logger<UnreadMemory>(log));
        new UnreadConnection(memory, new Unclosable()).Begin(1001);
        var other = new DefaultConnectionContext();
        new UnreadConnection(memory, other).Begin(1001);

        await UntilClosedAsync(other);

        await Wait.UntilAsync(
            () => log.Lines.Contains("Debug: Could not close a connection whose client does not read"), TimeSpan.FromSeconds(20),
            "the failure to be told");
        Assert.Equal((0, 2), (memory.Bytes, memory.Closed));
    }

    [Fact]
    public void A_wait_that_has_ended_holds_nothing()
    {
        (DefaultConnectionContext connection, UnreadConnection unread) = Connect();
        for (int i = 0; i < 100; i++)
        {
            using UnreadWait wait = unread.Begin(900);
        }

        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal((0, 0), (_memory.Bytes, _memory.Closed));
        Assert.False(connection.ConnectionClosed.IsCancellationRequested);
    }

    [Fact]
    public void Pressure_that_comes_and_goes_costs_a_collection_in_40_s_at_the_most()
    {
        (_, UnreadConnection unread) = Connect();
        for (int burst = 0; burst < 48; burst++)
        {
            unread.Begin(501).Dispose();
            _time.Advance(TimeSpan.FromSeconds(25));
        }

        Assert.InRange(_relief.Collections, 20, 30); // 1,200 s
        _time.Advance(TimeSpan.FromMinutes(5));
        int afterwards = _relief.Collections;
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(afterwards, _relief.Collections);
    }

    [Fact]
    public void The_heap_is_given_back_when_the_pressure_has_been_over_for_20_s_and_for_60_and_not_again()
    {
        (_, UnreadConnection unread) = Connect();
        unread.Begin(501).Dispose();
        _time.Advance(TimeSpan.FromSeconds(10));
        unread.Begin(501).Dispose();
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.Equal(0, _relief.Collections);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, _relief.Collections);
        _time.Advance(TimeSpan.FromSeconds(39));
        Assert.Equal(1, _relief.Collections);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(2, _relief.Collections);
        unread.Begin(500).Dispose();
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal(2, _relief.Collections);
    }

    private sealed class Unclosable : DefaultConnectionContext
    {
        public override void Abort(ConnectionAbortedException abortReason) => throw new ObjectDisposedException("the socket");
    }

    private (DefaultConnectionContext Connection, UnreadConnection Unread) Connect()
    {
        var connection = new DefaultConnectionContext();
        return (connection, new UnreadConnection(_memory, connection));
    }

    private static Task UntilClosedAsync(DefaultConnectionContext connection) =>
        Wait.UntilAsync(() => connection.ConnectionClosed.IsCancellationRequested, TimeSpan.FromSeconds(20), "the connection to be closed");
}
