// A gateway's connection to one silo: an Orleans client that knows no other gateway than that silo's client endpoint.
using System.Net;
using Estat.Api.Options;
using Estat.Base.Acks;
using Estat.Grains.Administration;
using Estat.Grains.Batching;
using Estat.Grains.Forwarding;
using Estat.Silo.Clustering;
using Estat.Silo.Tls;
using Orleans.Configuration;

namespace Estat.Silo.Forwarding;

/// <summary>
/// So a call to a stateless worker runs on that silo, without a hop. What is certain about a call that failed is little, as docs/architecture.md
/// explains: Orleans' exceptions do not tell whether a message was ever sent, and a message that was being sent when its connection broke is sent
/// again. Hence the rule here: <see cref="NotTakenException"/> only for what was never given to Orleans, because there is no connection over which
/// the silo has said who it is; whatever fails afterwards, nobody knows. A call ends when the connection closes that it began with, and does not wait
/// for its time to be up.
/// </summary>
internal sealed class SiloLink : ISiloLink, IClusterConnectionStatusObserver, IAsyncDisposable
{
    private static readonly TimeSpan BetweenConnects = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestStop = TimeSpan.FromSeconds(2);

    private readonly IPEndPoint _endpoint;
    private readonly TimeSpan _timeout;
    private readonly TimeSpan _storedTimeout;
    private readonly IReadOnlyList<AckLevel> _levels;
    private readonly TimeProvider _time;
    private readonly IHost _host;
    private readonly IClusterClient _client;
    private readonly CancellationTokenSource _disposing = new();
    private readonly Lock _gate = new();
    private readonly Task _starting;
    private volatile Session? _session;
    private volatile bool _hasGreeted;
    private int _closed;
    private int _calls;

    /// <summary>Begins to connect.</summary>
    /// <param name="endpoint">The silo's client endpoint.</param>
    /// <param name="options">Checked options.</param>
    /// <param name="tls">TLS between nodes; null without.</param>
    /// <param name="time">The clock of timeouts.</param>
    /// <param name="loggers">Where Orleans logs.</param>
    internal SiloLink(IPEndPoint endpoint, EstatOptions options, NodeTls? tls, TimeProvider time, ILoggerFactory loggers)
    {
        _endpoint = endpoint;
        _timeout = options.Cluster.SiloTimeout;
        _storedTimeout = options.Cluster.SiloTimeout + (2 * options.Collect.StoredMaxWait);
        _levels = options.Collect.AckAllowed ?? AckLevels.All;
        _time = time;
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddSingleton<IClusterConnectionStatusObserver>(this);
        builder.UseOrleansClient(client =>
        {
            client.Configure<Orleans.Configuration.ClusterOptions>(target => ClusterSetup.Name(target, options));
            client.UseStaticClustering(endpoint);
            client.UseConnectionRetryFilter(async (_, cancellationToken) =>
            {
                await Task.Delay(BetweenConnects, time, cancellationToken).ConfigureAwait(false);
                return true;
            });
            client.Configure<ClientMessagingOptions>(messaging => messaging.ResponseTimeout = _timeout);
            client.Configure<ConnectionOptions>(connections =>
            {
                connections.ConnectionRetryDelay = BetweenConnects;
                connections.OpenConnectionTimeout = _timeout;
            });
            if (tls is not null)
            {
                client.UseTls(tls.Apply);
            }
        });
        _host = builder.Build();
        _client = _host.Services.GetRequiredService<IClusterClient>();
        _starting = _host.StartAsync(_disposing.Token);
    }

    /// <inheritdoc/>
    public string Name => _endpoint.ToString();

    /// <summary>Its silo's client endpoint.</summary>
    internal IPEndPoint Endpoint => _endpoint;

    /// <summary>
    /// Levels that this gateway offers and the silo does not, such as <c>memory, stored</c>; null if there is none, or none is known.
    /// </summary>
    internal string? Lacks { get; private set; }

    /// <summary>Whether the silo has ever said who it is.</summary>
    internal bool HasGreeted => _hasGreeted;

    /// <inheritdoc/>
    public async Task<Ack> SendAsync(Packet packet)
    {
        Session session = _session ?? throw new NotTakenException($"there is no connection to {Name}");
        var wire = new WirePacket(Guid.NewGuid(), session.Instance, packet.Level.ToText(), packet.Events, packet.Lines,
            WireTraces.ToWire(packet.Requests));
        IBatchGrain grain = _client.GetGrain<IBatchGrain>(packet.Partition);
        Interlocked.Increment(ref _calls);
        try
        {
            Task<WireAck> call = (packet.Prefix, packet.Level) switch
            {
                (null, AckLevel.Stored) => grain.AppendStoredAsync(wire),
                (null, _) => grain.AppendAsync(wire),
                ({ } prefix, AckLevel.Stored) => grain.AppendBelowStoredAsync(new WirePrefixedPacket(prefix, wire)),
                ({ } prefix, _) => grain.AppendBelowAsync(new WirePrefixedPacket(prefix, wire)),
            };
            TimeSpan limit = packet.Level == AckLevel.Stored ? _storedTimeout : _timeout;
            return WireNames.ToAck(await call.WaitAsync(limit, _time, session.Lost).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (session.Lost.IsCancellationRequested)
        {
            throw new IOException($"the connection to {Name} closed during the call");
        }
        finally
        {
            Interlocked.Decrement(ref _calls);
        }
    }

    /// <summary>Has the silo answer a page.</summary>
    /// <exception cref="Exception">It does not, or its connection closed meanwhile.</exception>
    internal async Task<WireAdminReply> AskAsync(WireAdminRequest request, CancellationToken cancellationToken)
    {
        if (_session is null)
        {
            await ProbeAsync().WaitAsync(cancellationToken).ConfigureAwait(false); // nobody else does while no events come
        }

        Session session = _session ?? throw new IOException($"there is no connection to {Name}");
        using var either = CancellationTokenSource.CreateLinkedTokenSource(session.Lost, cancellationToken);
        Interlocked.Increment(ref _calls);
        try
        {
            return await _client.GetGrain<IAdminGrain>(0).AskAsync(request).WaitAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (session.Lost.IsCancellationRequested)
        {
            throw new IOException($"the connection to {Name} closed during the call");
        }
        finally
        {
            Interlocked.Decrement(ref _calls);
        }
    }

    /// <inheritdoc/>
    public async Task<bool> ProbeAsync()
    {
        if (!_starting.IsCompleted)
        {
            return false;
        }

        await _starting.ConfigureAwait(false); // its error, if it has one
        int closed = Volatile.Read(ref _closed);
        WireGreeting greeting = await _client.GetGrain<IBatchGrain>(0).GreetAsync().WaitAsync(_timeout, _time, _disposing.Token)
            .ConfigureAwait(false);
        lock (_gate)
        {
            // A connection that closed meanwhile may have been the one that this came by; who is at the other end now, the next greeting says.
            if (closed != _closed)
            {
                return false;
            }

            if (_session?.Instance != greeting.Instance)
            {
                _session?.End();
                _session = new Session(greeting.Instance, new CancellationTokenSource());
            }
        }

        string[] missing = greeting.Levels is { } offered ? [.. _levels.Select(level => level.ToText()).Except(offered)] : [];
        Lacks = missing.Length == 0 ? null : string.Join(", ", missing);
        _hasGreeted = true;
        return WireNames.AdmissionOf(greeting.Outlook) == Admission.Accepted;
    }

    /// <summary>Whether the silo answers and is not about to end, whatever the list of silos says.</summary>
    internal async Task<bool> StillServesAsync()
    {
        if (_session is null)
        {
            return false;
        }

        try
        {
            WireGreeting greeting = await _client.GetGrain<IBatchGrain>(0).GreetAsync()
                .WaitAsync(_timeout, _time, _disposing.Token).ConfigureAwait(false);
            return WireNames.AdmissionOf(greeting.Outlook) != Admission.Draining;
        }
        catch (Exception)
        {
            return false; // it is gone, as the list says
        }
    }

    /// <inheritdoc/>
    public void NotifyGatewayCountChanged(int currentNumberOfGateways, int previousNumberOfGateways, bool connectionRecovered)
    {
        if (currentNumberOfGateways < previousNumberOfGateways)
        {
            OnClosed();
        }
    }

    /// <inheritdoc/>
    public void NotifyClusterConnectionLost() => OnClosed();

    /// <summary>Lets calls in progress end, then closes the connection.</summary>
    internal async Task RetireAsync()
    {
        long started = _time.GetTimestamp();
        while (Volatile.Read(ref _calls) > 0 && _time.GetElapsedTime(started) < _storedTimeout)
        {
            await Task.Delay(BetweenConnects, _time).ConfigureAwait(false);
        }

        await DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Closes the connection; calls in progress end with it, and nobody knows.</summary>
    public async ValueTask DisposeAsync()
    {
        await _disposing.CancelAsync().ConfigureAwait(false);
        await _starting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        using (var limit = new CancellationTokenSource(LongestStop, _time))
        {
            await _host.StopAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await ((IAsyncDisposable)_host).DisposeAsync().ConfigureAwait(false);
        _disposing.Dispose();
    }

    private void OnClosed()
    {
        Session? session;
        lock (_gate)
        {
            _closed++;
            session = _session;
            _session = null;
        }

        session?.End();
    }

    // One connection, over which the silo has said who it is. Nobody disposes of its source, as its token may be taken until the last call has ended;
    // it holds no timer.
    private sealed record Session(string Instance, CancellationTokenSource Closing)
    {
        internal CancellationToken Lost => Closing.Token;

        // Off the thread that closes the connection, which has more to do.
        internal void End() => _ = Closing.CancelAsync();
    }

    // A host that ends with its link, and not by signals.
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
