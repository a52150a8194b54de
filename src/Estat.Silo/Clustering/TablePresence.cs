// Keeps the silos that there are in the membership table: if somebody empties it, gateways and new silos must still find them.
using Estat.Api.Options;

namespace Estat.Silo.Clustering;

/// <summary>
/// One loop, as often as Orleans reads the table. A silo whose own row is gone, though nobody has declared it dead, puts back the rows of all silos
/// that are active as far as it knows, under the version of the table that the silos know: a later one would tell the others that they are dead. All
/// of them do so; rows that are there already are left alone.
/// </summary>
internal sealed partial class TablePresence(
    IMembershipRows rows, IClusterMembershipService membership, ILocalSiloDetails self, EstatOptions options, TimeProvider time,
    ILogger<TablePresence> logger)
    : ILifecycleParticipant<ISiloLifecycle>, IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _watching = Task.CompletedTask;
    private bool _isGone;

    /// <inheritdoc/>
    public void Participate(ISiloLifecycle observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        observer.Subscribe(nameof(TablePresence), ServiceLifecycleStage.Active + 1, _ => Start(), async _ =>
        {
            await _stop.CancelAsync().ConfigureAwait(false); // not waited for: it may hang in the table, and has nothing to finish
        });
    }

    /// <inheritdoc/>
    public void Dispose() => _stop.Dispose();

    private Task Start()
    {
        _watching = Task.Run(() => WatchAsync(_stop.Token));
        return Task.CompletedTask;
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(ClusterSetup.RefreshOf(options.Cluster.MembershipProbe), time, cancellationToken).ConfigureAwait(false);
            try
            {
                await LookAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                LogNotKept(logger, error.Message); // Orleans tells, too, when the table does not answer
            }
        }
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        if (await rows.TryCopyAsync(self.SiloAddress, cancellationToken).ConfigureAwait(false))
        {
            if (_isGone)
            {
                _isGone = false;
                LogBack(logger);
            }

            return;
        }

        ClusterMembershipSnapshot known = membership.CurrentSnapshot;
        if (cancellationToken.IsCancellationRequested || !rows.Has(self.SiloAddress) || known.GetSiloStatus(self.SiloAddress) != SiloStatus.Active)
        {
            return;
        }

        if (!_isGone)
        {
            _isGone = true;
            LogGone(logger, rows.Description);
        }

        SiloAddress[] active =
            [.. known.Members.Values.Where(member => member.Status == SiloStatus.Active).Select(member => member.SiloAddress).Where(rows.Has)];
        await rows.PutBackAsync(active, known.Version.Value, cancellationToken).ConfigureAwait(false);
    }

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "This silo is no longer in the membership table ({Table}), though no silo has declared it dead: somebody has emptied "
            + "the table. This silo puts back the rows of all silos that it knows")]
    private static partial void LogGone(ILogger logger, string table);

    [LoggerMessage(Level = LogLevel.Warning, Message = "This silo is back in the membership table")]
    private static partial void LogBack(ILogger logger);

    [LoggerMessage(Level = LogLevel.Debug, Message = "The silo cannot check whether it is in the membership table: {Reason}")]
    private static partial void LogNotKept(ILogger logger, string reason);
}
