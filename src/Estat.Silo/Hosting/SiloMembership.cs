// A silo's place in its cluster: the Orleans silo, from joining to leaving.
using System.Net.Sockets;
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Node.Running;
using Estat.Silo.Clustering;

namespace Estat.Silo.Hosting;

/// <summary>Until it has left, the others know that it is there, and gateways are told that it is draining.</summary>
internal sealed partial class SiloMembership : INodeMembership
{
    private static readonly TimeSpan LongestLeaving = TimeSpan.FromSeconds(5);

    private readonly EstatOptions _options;
    private readonly NodeFrame _frame;
    private readonly IClusteringProvider _clustering;
    private readonly Action<IServiceProvider> _onJoined;
    private readonly IHost _host;
    private readonly ILogger _logger;

    /// <param name="options">Checked options.</param>
    /// <param name="frame">What the node has.</param>
    /// <param name="clustering">Where the silos are listed; becomes this one's.</param>
    /// <param name="onJoined">Is given what runs in the silo, once it has joined.</param>
    /// <param name="configure">Adds what runs in the silo.</param>
    internal SiloMembership(
        EstatOptions options, NodeFrame frame, IClusteringProvider clustering, Action<IServiceProvider> onJoined, Action<ISiloBuilder> configure)
    {
        _options = options;
        _frame = frame;
        _clustering = clustering;
        _onJoined = onJoined;
        _logger = frame.Loggers.CreateLogger<SiloMembership>();
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddSingleton(frame.Loggers);
        builder.Services.AddSingleton<IHostLifetime>(frame.Signals);
        builder.UseOrleans(silo =>
        {
            ClusterSetup.Apply(silo, options);
            clustering.AddTo(silo);
            silo.Services.AddSingleton<IFatalErrorHandler>(provider => provider.GetRequiredService<FatalEnd>());
            silo.Services.AddSingleton<FatalEnd>();
            silo.Services.AddSingleton(frame.Signals);
            if (clustering.KeepsTable)
            {
                silo.Services.AddSingleton<ILifecycleParticipant<ISiloLifecycle>, TablePresence>();
            }

            configure(silo);
        });
        _host = builder.Build();
    }

    /// <summary>What runs in the silo gets these.</summary>
    internal IServiceProvider Services => _host.Services;

    /// <inheritdoc/>
    public TimeSpan Leaving =>
        _options.Node.ShutdownTimeout / 5 < LongestLeaving ? _options.Node.ShutdownTimeout / 5 : LongestLeaving;

    /// <inheritdoc/>
    public bool HasFailed => _host.Services.GetRequiredService<FatalEnd>().HasStruck;

    /// <inheritdoc/>
    /// <exception cref="OptionException">The cluster refuses this silo as it is set up.</exception>
    public async Task JoinAsync()
    {
        try
        {
            if (_clustering.KeepsTable)
            {
                IMembershipTable table = _host.Services.GetRequiredService<IMembershipTable>();
                await table.InitializeMembershipTableAsync(true, CancellationToken.None).ConfigureAwait(false);
                MembershipTableData rows = await table.ReadAllAsync(CancellationToken.None).ConfigureAwait(false);
                SiloAddress self = _host.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
                TableClock.Check(rows.Members.Select(row => row.Item1), self, _frame.Time.GetUtcNow());
            }

            await _host.StartAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error.GetBaseException() is SocketException { SocketErrorCode: not SocketError.ConnectionRefused } socket)
        {
            Http.Options.ClusterOptions cluster = _options.Cluster;
            throw new IOException(
                $"the silo cannot start at SILO_ADDR={ClusterSetup.EndPointOf(cluster.SiloAddr)}, "
                    + $"SILO_CLIENT_ADDR={ClusterSetup.EndPointOf(cluster.SiloClientAddr[0])} ({socket.Message}). Name addresses and ports of this "
                    + "machine that are free.",
                error);
        }
        catch (Exception) when (_host.Services.GetRequiredService<JoinCheck>().Refusal is { } refusal)
        {
            throw new OptionException(refusal); // Orleans cannot stop what has not started
        }
        catch (Exception error) when (error is not OptionException && !_frame.Signals.First.IsCompleted)
        {
            throw new IOException(
                $"cluster {_options.Cluster.ClusterId} cannot be joined by {_clustering.Description} "
                    + $"({error.GetBaseException().Message.TrimEnd('.')}). Check that it answers, and that this node may use it.",
                error);
        }
    }

    /// <inheritdoc/>
    public void OnJoined() => _onJoined(_host.Services);

    /// <inheritdoc/>
    public async Task LeaveAsync()
    {
        await _frame.End.TryAsync("leave the cluster", Leaving, _host.StopAsync).ConfigureAwait(false);
        // It has left, or cannot: nothing shall wait for an answer of the table any longer.
        await _frame.End.TryAsync("leave the membership", Leaving, _ => _clustering.DisposeAsync().AsTask()).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task EndAsync()
    {
        await _frame.End.TryAsync("end the silo", LongestLeaving, _ => ((IAsyncDisposable)_host).DisposeAsync().AsTask()).ConfigureAwait(false);
        await _frame.End.TryAsync("leave the membership", LongestLeaving, _ => _clustering.DisposeAsync().AsTask()).ConfigureAwait(false);
    }

    /// <summary>Logs where it joined, and who is there.</summary>
    internal void Introduce()
    {
        ClusterMembershipSnapshot members = _host.Services.GetRequiredService<IClusterMembershipService>().CurrentSnapshot;
        SiloAddress self = _host.Services.GetRequiredService<ILocalSiloDetails>().SiloAddress;
        string[] others = [.. members.Members.Values.Where(member => member.Status == SiloStatus.Active && !member.SiloAddress.Equals(self))
            .Select(member => member.Name)];
        LogJoined(
            _logger, _options.Cluster.ClusterId, _clustering.Description, self.Endpoint.ToString(), others.Length == 0 ? "no other silo"
                : string.Join(", ", others));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "It joined cluster {Cluster} by {Clustering} as {Address}, beside {Others}")]
    private static partial void LogJoined(ILogger logger, string cluster, string clustering, string address, string others);
}
