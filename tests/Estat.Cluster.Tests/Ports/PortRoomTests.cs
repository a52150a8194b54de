// Who is let in to a silo's port, without a silo: connections that cannot be closed, and a log that nobody reads.
using Estat.Silo.Ports;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace Estat.Cluster.Tests.Ports;

public sealed class PortRoomTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly ManualTimeProvider _time = new();
    private readonly List<string> _closed = [];

    [Fact]
    public async Task A_silent_connection_that_cannot_be_closed_ends_neither_the_process_nor_the_closing_of_others()
    {
        PortRoom room = New(new HeldLog(held: false));
        Assert.True(room.TryEnter(new Unclosable()));
        var other = new DefaultConnectionContext();
        Assert.True(room.TryEnter(other));

        _time.Advance(Patience); // what a timer throws would end the process

        Assert.Equal(["silent", "silent"], _closed);
        await Wait.UntilAsync(
            () => other.ConnectionClosed.IsCancellationRequested, TimeSpan.FromSeconds(30), "the other connection to be closed, on the pool");
    }

    [Fact]
    public void A_connection_that_cannot_be_closed_for_the_next_one_does_not_keep_that_out()
    {
        PortRoom room = New(new HeldLog(held: false));
        Assert.True(room.TryEnter(new Unclosable()));
        Assert.True(room.TryEnter(new DefaultConnectionContext()));
        Assert.True(room.TryEnter(new DefaultConnectionContext()));
        Assert.Equal(["full"], _closed);
    }

    [Fact]
    public async Task A_log_that_nobody_reads_keeps_nobody_waiting_but_the_one_who_is_told_of()
    {
        using var log = new HeldLog(held: true);
        PortRoom room = New(log);
        for (int i = 0; i < 2; i++)
        {
            var node = new DefaultConnectionContext();
            Assert.True(room.TryEnter(node));
            node.Features.Get<PortRoom.Visitor>()!.Speak();
        }

        Task<bool> first = Task.Run(() => room.TryEnter(new DefaultConnectionContext()));
        await Wait.UntilAsync(() => log.IsHolding, Limit, "the full room to be told");
        Task<bool> next = Task.Run(() => room.TryEnter(new DefaultConnectionContext()));

        await Wait.UntilAsync(() => next.IsCompleted, Limit, "the next to be refused");
        log.Release();
        Assert.Equal((false, false), (await first, await next));
    }

    private PortRoom New(HeldLog log) => new("SILO_ADDR", 2, Patience, _time, _closed.Add, log);

    private sealed class Unclosable : DefaultConnectionContext
    {
        public override void Abort(ConnectionAbortedException abortReason) => throw new ObjectDisposedException("the socket");
    }

    private sealed class HeldLog(bool held) : ILogger, IDisposable
    {
        private readonly ManualResetEventSlim _read = new(!held);
        private volatile bool _isHolding;

        internal bool IsHolding => _isHolding;

        internal void Release() => _read.Set();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            _isHolding = true;
            _read.Wait();
        }

        public void Dispose() => _read.Dispose();
    }
}
