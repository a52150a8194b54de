// The host puts capabilities together without knowing one: here it has two that only a test knows.
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Net;
using System.Text;
using Estat.Http;
using Estat.Http.Answering;
using Estat.Http.Connections;
using Estat.Http.Health;
using Estat.Http.Metrics;
using Estat.Http.Options;
using Estat.Http.Routing;
using Estat.Node.Running;
using Estat.Testing;

namespace Estat.Api.Tests.Hosting;

public sealed class NodeHostTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Paths_pages_and_readings_of_both_are_served()
    {
        await using var node = new TwoParts();
        await node.StartAsync();
        Assert.Equal("left", await node.Client.GetStringAsync("/left"));
        Assert.Equal("right", await node.Client.GetStringAsync("/right"));
        Assert.Equal("a page of left", await node.Client.GetStringAsync("/pages/left"));
        Assert.Equal("a page of right", await node.Client.GetStringAsync("/pages/right"));
        PrometheusPage metrics = PrometheusPage.Parse(await node.Client.GetStringAsync("/metrics"));
        Assert.Equal((7, 7), (metrics["estat_left_reading"], metrics["estat_right_reading"]));

        using HttpResponseMessage nothing = await node.Client.GetAsync("/nowhere");
        Assert.Equal(HttpStatusCode.NotFound, nothing.StatusCode);
        Assert.Contains("/left, /right, ", await nothing.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/left", "/pages/right", "/left")]
    [InlineData("/right", "/pages/left", "/pages/left")]
    [InlineData("/pages/left", "/pages/right", "/pages/left")] // a path of one that is a page of the other
    public async Task Two_with_the_same_path_are_refused_with_a_line_that_names_both(string route, string page, string shared)
    {
        await using var node = new TwoParts(right: new Part("right", route, page));
        InvalidOperationException error = Assert.Throws<InvalidOperationException>(() => node.Host);
        Assert.StartsWith($"{shared} is a path of left and of right", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task They_start_in_order_before_the_node_listens_and_are_told_when_it_does()
    {
        await using var node = new TwoParts();
        node.Left.OnStart = node.Right.OnStart = () => Assert.Empty(node.Host.Bound);
        await node.StartAsync();
        Assert.Equal(["left starts", "right starts", "the node introduces itself", "left listens", "right listens"], node.Calls);
    }

    [Fact]
    public async Task A_node_is_ready_when_both_are_and_says_what_is_wrong_with_either()
    {
        await using var node = new TwoParts();
        await node.StartAsync();
        Assert.Equal((200, "ok\n"), await node.AskAsync("/health/ready"));
        Assert.Equal((200, "ok\n"), await node.AskAsync("/health/sink"));
        foreach (Part part in new[] { node.Left, node.Right })
        {
            part.NotReadyBecause = $"{part.Name} has no room";
            part.Sink = new SinkFault($"the table of {part.Name} is away", "storage does not answer");
            (int status, string text) = await node.AskAsync("/health/ready");
            Assert.Equal(503, status);
            Assert.Contains($"Not ready: {part.Name} has no room.", text, StringComparison.Ordinal);
            (status, text) = await node.AskAsync("/health/sink");
            Assert.Equal(503, status);
            Assert.Contains($"the table of {part.Name} is away", text, StringComparison.Ordinal); // told to this machine
            Assert.Equal((200, "ok\n"), await node.AskAsync("/health"));
            part.NotReadyBecause = null;
            part.Sink = null;
        }
    }

    [Fact]
    public async Task A_drain_turns_requests_away_waits_for_those_in_flight_and_drains_both_while_the_node_still_answers()
    {
        await using var node = new TwoParts();
        await node.StartAsync();
        TaskCompletionSource answer = node.Right.Answer = NewGate();
        Task<string> inFlight = node.Client.GetStringAsync("/right");
        await Wait.UntilAsync(() => node.Right.HttpRequests.InFlight == 1, Limit, "the request to be handled");
        TaskCompletionSource drained = node.Left.Drained = node.Right.Drained = NewGate();
        node.Calls.Clear();

        Task<int> run = node.StopAsync();
        await Wait.UntilAsync(() => node.Calls.Count == 2, Limit, "the drain to begin");
        Assert.Equal(["left begins to drain after the test's end", "right begins to drain after the test's end"], node.Calls);
        Assert.Equal("left", await node.Client.GetStringAsync("/left"));
        answer.SetResult();
        Assert.Equal("right", await inFlight);

        await Wait.UntilAsync(
            () =>
            {
                node.Time.Advance(TimeSpan.FromMilliseconds(10)); // the host looks again
                return node.Calls.Count == 4; // the first has not ended when the second begins
            },
            Limit, "both to drain");
        Assert.Equal(["left drains", "right drains"], node.Calls.Skip(2));
        Assert.Equal(200, (await node.AskAsync("/health")).Status);
        drained.SetResult();
        Assert.Equal(0, await run.WaitAsync(Limit, TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<HttpRequestException>(() => node.AskAsync("/health"));
    }

    [Fact]
    public async Task Each_has_the_time_that_what_ends_after_the_drains_leaves_of_SHUTDOWN_TIMEOUT()
    {
        await using var node = new TwoParts();
        node.Left.Closing = TimeSpan.FromSeconds(2);
        node.Right.Closing = TimeSpan.FromSeconds(3);
        await node.StartAsync();
        Assert.Equal(0, await node.StopAsync());
        TimeSpan left = TimeSpan.FromSeconds(25 - 2 - 3 - 1) - ShutdownShares.Reserve; // 1 s is the listener's
        Assert.Equal((left, left), (node.Left.Budget, node.Right.Budget));
        Assert.Equal((TwoParts.ShutdownTimeout, TwoParts.ShutdownTimeout), (node.Left.Announced, node.Right.Announced));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(3, 0, 1)]
    [InlineData(0, 3, 1)]
    public async Task What_either_has_lost_makes_the_exit_code_1(long left, long right, int exitCode)
    {
        await using var node = new TwoParts();
        node.Left.Lost = left;
        node.Right.Lost = right;
        await node.StartAsync();
        Assert.Equal(exitCode, await node.StopAsync());
    }

    [Theory]
    [InlineData("left", "begin")]
    [InlineData("right", "begin")]
    [InlineData("left", "drain")]
    [InlineData("right", "drain")]
    [InlineData("left", "drain later")]
    [InlineData("right", "drain later")]
    public async Task One_that_fails_to_drain_keeps_the_other_from_nothing(string name, string when)
    {
        await using var node = new TwoParts();
        await node.StartAsync();
        (name == "left" ? node.Left : node.Right).FailsAt = when;
        node.Calls.Clear();
        Assert.Equal(when == "begin" ? 0 : 1, await node.StopAsync());
        Assert.Equal(
            ["left begins to drain after the test's end", "right begins to drain after the test's end", "left drains", "right drains"], node.Calls);
        await Assert.ThrowsAsync<HttpRequestException>(() => node.AskAsync("/health")); // the listener was stopped
        await node.DisposeAsync();
        Assert.Equal(["left is let go of", "right is let go of"], node.Calls.Skip(4));
    }

    [Fact]
    public async Task The_second_that_cannot_start_ends_the_start_and_both_are_let_go_of()
    {
        await using var node = new TwoParts();
        node.Right.OnStart = () => throw new IOException("no folder");
        Assert.Equal("no folder", (await Assert.ThrowsAsync<IOException>(node.StartAsync)).Message);
        Assert.Empty(node.Host.Bound);
        await node.DisposeAsync();
        Assert.Equal(["left starts", "right starts", "left is let go of", "right is let go of"], node.Calls);
    }

    [Theory]
    [InlineData(false, 0)]
    [InlineData(true, 1)]
    public async Task A_cluster_is_joined_before_they_start_and_left_after_their_drain(bool hasFailed, int exitCode)
    {
        var calls = new ConcurrentQueue<string>();
        await using var node = new TwoParts(calls: calls, membership: new Membership(calls) { HasFailed = hasFailed });
        await node.StartAsync();
        Assert.Equal(["joins", "has joined", "left starts"], calls.Take(3));
        calls.Clear();
        Assert.Equal(exitCode, await node.StopAsync());
        Assert.Equal(["left drains", "right drains", "leaves"], calls.Skip(2));
        await node.DisposeAsync();
        Assert.Equal(["ends", "left is let go of", "right is let go of"], calls.Skip(5));
    }

    private static TaskCompletionSource NewGate() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>A node of two capabilities.</summary>
    private sealed class TwoParts : IAsyncDisposable
    {
        internal static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(25);

        private readonly NodeFrame _frame;
        private readonly Lazy<NodeHost> _host;
        private bool _isDisposed;

        internal TwoParts(Part? right = null, ConcurrentQueue<string>? calls = null, INodeMembership? membership = null)
        {
            _frame = new NodeFrame(
                new HttpOptions { HttpAddr = "127.0.0.1:0" }, new NodeOptions { LogLevel = "none", ShutdownTimeout = ShutdownTimeout }, Time,
                isTerminal: false, limit: null);
            Calls = calls ?? [];
            Right = right ?? new Part("right", "/right", "/pages/right");
            Left.Calls = Right.Calls = Calls;
            _host = new Lazy<NodeHost>(() => new NodeHost(_frame, [Left, Right], _ => Calls.Enqueue("the node introduces itself"), membership));
        }

        internal Part Left { get; } = new("left", "/left", "/pages/left");

        internal Part Right { get; }

        internal ConcurrentQueue<string> Calls { get; }

        internal NodeHost Host => _host.Value;

        /// <summary>Stands still until the test says so.</summary>
        internal ManualTimeProvider Time { get; } = new();

        internal HttpClient Client { get; } = new(new SocketsHttpHandler { UseProxy = false });

        internal async Task StartAsync()
        {
            await Host.StartAsync();
            Client.BaseAddress = Host.Address;
        }

        internal Task<int> StopAsync()
        {
            _frame.Signals.Stop("the test's end");
            return Host.RunAsync();
        }

        internal async Task<(int Status, string Text)> AskAsync(string path)
        {
            using HttpResponseMessage answer = await Client.GetAsync(path);
            return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
        }

        public async ValueTask DisposeAsync()
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
            Client.Dispose();
            await (_host.IsValueCreated ? Host : (IAsyncDisposable)new Unused(_frame)).DisposeAsync();
        }

        // No host was made of it.
        private sealed class Unused(NodeFrame frame) : IAsyncDisposable
        {
            public ValueTask DisposeAsync()
            {
                frame.Dispose();
                return ValueTask.CompletedTask;
            }
        }
    }

    /// <summary>A capability that writes down what it is told.</summary>
    private sealed class Part : ICapability
    {
        private readonly string _route;
        private readonly string _page;

        internal Part(string name, string route, string page)
        {
            Name = name;
            _route = route;
            _page = page;
            Meter = new Meter("test");
            Meter.CreateObservableGauge($"estat_{name}_reading", () => 7);
        }

        internal ConcurrentQueue<string> Calls { get; set; } = [];

        internal Action OnStart { get; set; } = () => { };

        internal TaskCompletionSource? Answer { get; set; }

        internal TaskCompletionSource? Drained { get; set; }

        internal SinkFault? Sink { get; set; }

        internal long Lost { get; set; }

        internal string? FailsAt { get; set; }

        internal TimeSpan Budget { get; private set; }

        internal TimeSpan Announced { get; private set; }

        public string Name { get; }

        public Meter Meter { get; }

        public RequestCounters HttpRequests { get; } = new();

        public IReadOnlyDictionary<string, PathHandler> Routes => new Dictionary<string, PathHandler> { [_route] = HandleAsync };

        public IReadOnlyList<Page> Pages =>
            [new(_page, context => TextAnswer.WriteAsync(context, "text/plain", Encoding.UTF8.GetBytes($"a page of {Name}")))];

        public int FilesNeeded => 10;

        public int LongestQuery => 1000;

        public TimeSpan Closing { get; set; }

        public string? NotReadyBecause { get; set; }

        public Task<SinkFault?> AskSinkAsync() => Task.FromResult(Sink);

        public void Start()
        {
            Calls.Enqueue($"{Name} starts");
            OnStart();
        }

        public void OnListening() => Calls.Enqueue($"{Name} listens");

        public void BeginDrain(string signal, TimeSpan limit)
        {
            Calls.Enqueue($"{Name} begins to drain after {signal}");
            Announced = limit;
            FailAt("begin");
        }

        public Task<long> DrainAsync(TimeSpan budget, CancellationToken hurry)
        {
            Calls.Enqueue($"{Name} drains");
            Budget = budget;
            FailAt("drain");
            return EndAsync();
        }

        public ValueTask DisposeAsync()
        {
            Calls.Enqueue($"{Name} is let go of");
            Meter.Dispose();
            return ValueTask.CompletedTask;
        }

        private async Task<long> EndAsync()
        {
            await (Drained?.Task ?? Task.CompletedTask);
            await Task.Yield();
            FailAt("drain later");
            return Lost;
        }

        private async Task HandleAsync(Microsoft.AspNetCore.Http.HttpContext context, ConnectionSeat? seat)
        {
            HttpRequests.Started.Increment();
            await (Answer?.Task ?? Task.CompletedTask);
            await ConnectionSeat.EndAfterAsync(seat, TextAnswer.WriteAsync(context, "text/plain", Encoding.UTF8.GetBytes(Name)));
            HttpRequests.Ended.Increment();
        }

        private void FailAt(string step)
        {
            if (FailsAt == step)
            {
                throw new InvalidOperationException($"the fault of {Name}");
            }
        }
    }

    /// <summary>A cluster that writes down what it is told.</summary>
    private sealed class Membership(ConcurrentQueue<string> calls) : INodeMembership
    {
        public TimeSpan Leaving => TimeSpan.FromSeconds(1);

        public bool HasFailed { get; init; }

        public Task JoinAsync() => TellAsync("joins");

        public void OnJoined() => calls.Enqueue("has joined");

        public Task LeaveAsync() => TellAsync("leaves");

        public Task EndAsync() => TellAsync("ends");

        private Task TellAsync(string what)
        {
            calls.Enqueue(what);
            return Task.CompletedTask;
        }
    }
}
