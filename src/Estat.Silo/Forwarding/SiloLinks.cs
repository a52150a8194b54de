// A gateway's links, kept in step with the silos that there are.
using System.Net;
using Estat.Api.Options;
using Estat.Base.Logging;
using Estat.Base.Threading;
using Estat.Grains.Forwarding;
using Estat.Silo.Clustering;
using Estat.Silo.Tls;

namespace Estat.Silo.Forwarding;

/// <summary>
/// One loop. A link is listed once its silo has answered for the first time, and until the list has the silo no more and it does not answer either: a
/// list that somebody has emptied is no evidence that silos have died. In between, whether a link is used is the business of who uses it. A list that
/// cannot be read leaves everything as it was.
/// </summary>
internal sealed partial class SiloLinks : ISiloLinks, IAsyncDisposable
{
    private static readonly TimeSpan BetweenLists = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BetweenGreetings = TimeSpan.FromMilliseconds(100);

    // A silo that starts beside its gateway takes less.
    private static readonly TimeSpan WorthTelling = TimeSpan.FromSeconds(5);

    private readonly ISiloList _list;
    private readonly Func<IPEndPoint, SiloLink> _open;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly Dictionary<IPEndPoint, SiloLink> _links = [];
    private readonly List<Task> _retiring = [];
    private readonly HashSet<SiloLink> _unlisted = [];
    private volatile IReadOnlyList<ISiloLink> _all = [];
    private volatile IReadOnlyList<SiloLink> _listed = [];
    private Task _running = Task.CompletedTask;
    private readonly Dictionary<SiloLink, (long Since, bool IsTold)> _silent = [];
    private readonly ToldFault _listFails = new();

    /// <param name="list">Which silos there are; disposed of with this.</param>
    /// <param name="options">Checked options.</param>
    /// <param name="tls">TLS between nodes; null without.</param>
    /// <param name="time">Clock and timers.</param>
    /// <param name="loggers">Where silos that come and go are told.</param>
    internal SiloLinks(ISiloList list, EstatOptions options, NodeTls? tls, TimeProvider time, ILoggerFactory loggers)
    {
        _time = time;
        _logger = loggers.CreateLogger<SiloLinks>();
        _list = list;
        _open = endpoint => new SiloLink(endpoint, options, tls, time, loggers);
    }

    /// <inheritdoc/>
    public IReadOnlyList<ISiloLink> All => _all;

    /// <summary>Where the list is, for people.</summary>
    internal string Source => _list.Description;

    /// <summary>A link to each silo of the list, also to those that have never answered.</summary>
    internal IReadOnlyList<SiloLink> Listed => _listed;

    /// <summary>Begins to follow the list.</summary>
    internal void Start() => _running = Task.Run(() => FollowAsync(_stop.Token));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        // ends at once: what it may hang in, the list and greetings, is left alone
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _all = [];
        _listed = [];
        await Task.WhenAll([.. _retiring, .. _links.Values.Select(link => link.DisposeAsync().AsTask())]).ConfigureAwait(false);
        _list.Dispose();
        _stop.Dispose();
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                await TakeListAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                LogListCrashed(_logger, error); // and the next one in two seconds: a gateway without this loop would never see another silo
            }

            long listed = _time.GetTimestamp();
            do
            {
                await GreetAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
                bool allKnown = _links.Values.All(link => link.HasGreeted);
                await Task.Delay(allKnown ? BetweenLists : BetweenGreetings, _time, cancellationToken).ConfigureAwait(false);
            }
            while (_time.GetElapsedTime(listed) < BetweenLists);
        }
    }

    private async Task TakeListAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<IPEndPoint> silos;
        try
        {
            silos = await _list.ReadAsync().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            if (_listFails.IsNews())
            {
                LogListFails(_logger, error.Message, _links.Count);
            }

            return;
        }

        await PoolThread.Switch(); // links are built and torn down here, which a thread that polls sockets has no time for
        _listFails.End();
        _retiring.RemoveAll(task => task.IsCompleted);
        IPEndPoint[] unlisted = [.. _links.Keys.Except(silos)];
        bool[] answer = await Task.WhenAll(unlisted.Select(silo => _links[silo].StillServesAsync()))
            .WaitAsync(cancellationToken).ConfigureAwait(false);
        foreach ((IPEndPoint gone, bool isThere) in unlisted.Zip(answer))
        {
            if (isThere)
            {
                if (_unlisted.Add(_links[gone]))
                {
                    LogUnlisted(_logger, _links[gone].Name);
                }

                continue;
            }

            _links.Remove(gone, out SiloLink? link);
            _unlisted.Remove(link!);
            LogGone(_logger, link!.Name);
            Publish();
            _silent.Remove(link);
            _retiring.Add(link.RetireAsync());
        }

        _unlisted.RemoveWhere(link => silos.Contains(link.Endpoint));
        foreach (IPEndPoint silo in silos.Where(silo => !_links.ContainsKey(silo)))
        {
            _links.Add(silo, _open(silo));
        }

        _listed = [.. _links.Values];
    }

    private async Task GreetAsync()
    {
        SiloLink[] strangers = [.. _links.Values.Where(link => !link.HasGreeted)];
        await Task.WhenAll(strangers.Select(GreetAsync)).ConfigureAwait(false);
        foreach (SiloLink link in strangers.Where(link => link.HasGreeted))
        {
            _silent.Remove(link);
            LogJoined(_logger, link.Name);
            if (link.Lacks is { } levels)
            {
                LogLacks(_logger, link.Name, levels);
            }
        }

        Publish();
    }

    // Told once for each silo: a wrong CLUSTER_ID or certificate is heard of nowhere else.
    private async Task GreetAsync(SiloLink link)
    {
        string reason = "there is no connection";
        try
        {
            await link.ProbeAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            reason = error.Message;
        }

        bool isNews = false;
        lock (_silent)
        {
            if (!_silent.TryGetValue(link, out (long Since, bool IsTold) silence))
            {
                _silent[link] = (_time.GetTimestamp(), false);
            }
            else if (!link.HasGreeted && !silence.IsTold && _time.GetElapsedTime(silence.Since) > WorthTelling)
            {
                _silent[link] = silence with { IsTold = true };
                isNews = true;
            }
        }

        if (isNews)
        {
            LogNotGreeted(_logger, link.Name, reason);
        }
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

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Silo {Silo} does not answer: {Reason}. The gateway asks again. If this lasts, check the log, CLUSTER_ID and TLS of that silo")]
    private static partial void LogNotGreeted(ILogger logger, string silo, string reason);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Following the list of silos failed. The next attempt is in two seconds. Report this")]
    private static partial void LogListCrashed(ILogger logger, Exception error);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Silo {Silo} does not offer {Levels}, which this gateway does: events at such a level fail there. Give gateways and "
            + "silos the same ACK_ALLOWED")]
    private static partial void LogLacks(ILogger logger, string silo, string levels);

    [LoggerMessage(Level = LogLevel.Information, Message = "Silo {Silo} is no longer a member")]
    private static partial void LogGone(ILogger logger, string silo);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Silo {Silo} is no longer in the list of silos, but it answers, so the gateway still uses it. Was the membership table emptied?")]
    private static partial void LogUnlisted(ILogger logger, string silo);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The list of silos cannot be read ({Reason}). Meanwhile the gateway uses the {Silos} silos "
        + "that it knows")]
    private static partial void LogListFails(ILogger logger, string reason, int silos);
}
