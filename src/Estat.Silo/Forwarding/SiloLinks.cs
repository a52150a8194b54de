// A gateway's links, kept in step with the silos that there are.
using System.Net;
using Estat.Core.Forwarding;
using Estat.Core.Options;
using Estat.Silo.Hosting;

namespace Estat.Silo.Forwarding;

/// <summary>
/// One loop. A link is listed once its silo has answered for the first time, and until membership has the silo no more; in between, whether it is used
/// is the business of who uses it. A list that cannot be read leaves everything as it was.
/// </summary>
internal sealed partial class SiloLinks : ISiloLinks, IAsyncDisposable
{
    private static readonly TimeSpan BetweenLists = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BetweenGreetings = TimeSpan.FromMilliseconds(100);

    private readonly ISiloList _list;
    private readonly Func<IPEndPoint, SiloLink> _open;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<IPEndPoint, SiloLink> _links = [];
    private readonly List<Task> _retiring = [];
    private volatile IReadOnlyList<ISiloLink> _all = [];
    private Task _running = Task.CompletedTask;
    private bool _listFails;

    /// <param name="options">Checked options.</param>
    /// <param name="tls">TLS between nodes; null without.</param>
    /// <param name="time">Clock and timers.</param>
    /// <param name="loggers">Where silos that come and go are told.</param>
    internal SiloLinks(EstatOptions options, NodeTls? tls, TimeProvider time, ILoggerFactory loggers)
    {
        _time = time;
        _logger = loggers.CreateLogger<SiloLinks>();
        _list = options.Cluster.Clustering == ClusteringKind.Localhost ? new NamedSilos(options.Cluster) : new DynamoDbSilos(options, loggers);
        _open = endpoint => new SiloLink(endpoint, options, tls, time, loggers);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ISiloLink> All => _all;

    /// <summary>Begins to follow the list.</summary>
    internal void Start() => _running = Task.Run(() => FollowAsync(_stop.Token));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _all = [];
        await Task.WhenAll([.. _retiring, .. _links.Values.Select(link => link.DisposeAsync().AsTask())]).ConfigureAwait(false);
        (_list as IDisposable)?.Dispose();
        _stop.Dispose();
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await TakeListAsync().ConfigureAwait(false);
            long listed = _time.GetTimestamp();
            do
            {
                await GreetAsync().ConfigureAwait(false);
                bool allKnown = _links.Values.All(link => link.HasGreeted);
                await Task.Delay(allKnown ? BetweenLists : BetweenGreetings, _time, cancellationToken).ConfigureAwait(false);
            }
            while (_time.GetElapsedTime(listed) < BetweenLists);
        }
    }

    private async Task TakeListAsync()
    {
        IReadOnlyList<IPEndPoint> silos;
        try
        {
            silos = await _list.ReadAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            if (!_listFails)
            {
                LogListFails(_logger, error.Message, _links.Count);
            }

            _listFails = true;
            return;
        }

        _listFails = false;
        _retiring.RemoveAll(task => task.IsCompleted);
        foreach (IPEndPoint gone in _links.Keys.Except(silos).ToArray())
        {
            _links.Remove(gone, out SiloLink? link);
            LogGone(_logger, link!.Name);
            Publish();
            _retiring.Add(link.DisposeAsync().AsTask());
        }

        foreach (IPEndPoint silo in silos.Where(silo => !_links.ContainsKey(silo)))
        {
            _links.Add(silo, _open(silo));
        }
    }

    private async Task GreetAsync()
    {
        SiloLink[] strangers = [.. _links.Values.Where(link => !link.HasGreeted)];
        await ((Task)Task.WhenAll(strangers.Select(link => link.ProbeAsync()))).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (SiloLink link in strangers.Where(link => link.HasGreeted))
        {
            LogJoined(_logger, link.Name);
        }

        Publish();
    }

    // A new list only when it differs: its identity tells users that it has changed.
    private void Publish()
    {
        ISiloLink[] known = [.. _links.Values.Where(link => link.HasGreeted)];
        if (!known.SequenceEqual(_all))
        {
            _all = known;
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Connected to silo {Silo}")]
    private static partial void LogJoined(ILogger logger, string silo);

    [LoggerMessage(Level = LogLevel.Information, Message = "Silo {Silo} is no longer a member")]
    private static partial void LogGone(ILogger logger, string silo);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The list of silos cannot be read ({Reason}); the {Silos} that are known are used meanwhile")]
    private static partial void LogListFails(ILogger logger, string reason, int silos);
}
