// The owner's side of replication: which batches have a copy elsewhere, whose copy is lost, and who may forget theirs.
using System.Collections.Concurrent;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Metrics;
using Estat.Http.Options;

namespace Estat.Grains.Replication;

/// <summary>
/// Knows every batch of the level <c>replica</c> from its first record until it is stored. A batch whose partner is lost is ended and uploaded at
/// once; when the store refuses it, it is sent whole to another partner. Safe for concurrent use.
/// </summary>
internal sealed partial class ReplicatedBatches(ReplicaSetup replication, TimeProvider time, ILogger logger) : IBatchCopies
{
    // How soon a lost partner is noticed when nothing is being sent, and how long stored batches gather before their partners are told.
    private static readonly TimeSpan Watch = TimeSpan.FromMilliseconds(200);

    // A record of the copy; as large as those that a busy partition sends.
    private const int PieceBytes = 256 * 1024;

    // A stall is over after as long, and whoever stays away longer is out of membership by then.
    private static readonly TimeSpan Avoided = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, ReplicatedBatch> _batches = new();
    private readonly ConcurrentQueue<(IReplicaPartner Partner, string Key)> _stored = new();
    private readonly ConcurrentDictionary<IReplicaPartner, long> _failed = new();

    /// <summary>Whether events may be acknowledged at <c>disk</c> while there is no copy.</summary>
    internal bool MayDegrade => replication.Degraded == ReplicaDegradedPolicy.Disk;

    /// <inheritdoc/>
    public bool MustRefuse => !MayDegrade && replication.Peers.IsAlone;

    /// <summary>Events acknowledged at <c>replica</c> that are not stored yet and whose copy is lost.</summary>
    internal long UnderReplicated => _batches.Values.Sum(batch => batch.IsLost ? batch.Events : 0);

    /// <inheritdoc/>
    public IGroupCopies Of(Partition partition) => new GroupReplication(this, partition);

    /// <summary>A batch of a partition, whose writer alone asks for it; with its first records it opens, and its partner is chosen.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="partition">Ends it.</param>
    internal ReplicatedBatch Of(OpenBatch batch, Partition partition)
    {
        if (!_batches.TryGetValue(batch.Key, out ReplicatedBatch? opened))
        {
            IReplicaPartner? partner = replication.Peers.Choose(batch.Key, LastFailed());
            opened = new ReplicatedBatch(batch.Key, batch.Opened, partner, reason => partition.EndBatch(batch, reason));
            _batches[batch.Key] = opened;
        }

        return opened;
    }

    /// <summary>A batch's copy cannot be relied on.</summary>
    internal void OnFailed(ReplicatedBatch batch, string reason)
    {
        batch.OnFailed();
        if (batch.Partner is { } partner)
        {
            _failed[partner] = time.GetTimestamp();
            LogPartnerLost(logger, partner.Name, batch.Key, reason);
        }
    }

    /// <inheritdoc/>
    public void OnSafe(string key)
    {
        if (_batches.TryRemove(key, out ReplicatedBatch? batch) && batch.Partner is { } partner)
        {
            _stored.Enqueue((partner, key));
        }
    }

    /// <inheritdoc/>
    public async Task KeepSafeAsync(SealedBatch batch)
    {
        if (batch.Form != BatchForm.Gzip || !_batches.TryGetValue(batch.Key, out ReplicatedBatch? replicated) || !replicated.IsLost
            || replicated.Events == 0)
        {
            return;
        }

        if (replication.Peers.Choose(batch.Key, replicated.Partner) is not { } partner || partner == replicated.Partner)
        {
            return;
        }

        try
        {
            if (await SendWholeAsync(batch, partner).ConfigureAwait(false))
            {
                replicated.OnHeldAfresh(partner);
                LogHeldAfresh(logger, partner.Name, batch.Key);
            }
        }
        catch (Exception error)
        {
            LogNotHeldAfresh(logger, partner.Name, batch.Key, error.Message);
        }
    }

    /// <summary>Watches the partners and tells them what is stored, until cancelled.</summary>
    internal async Task RunAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Watch, time);
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
        {
            EndThoseWithoutCopy();
            await ReleaseStoredAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Tells the partners what is stored. What they do not hear they find out.</summary>
    internal async Task ReleaseStoredAsync()
    {
        var stored = new List<(IReplicaPartner Partner, string Key)>();
        while (_stored.TryDequeue(out (IReplicaPartner, string) next))
        {
            stored.Add(next);
        }

        foreach (IGrouping<IReplicaPartner, string> told in stored.Where(item => item.Partner.IsAlive)
            .GroupBy(item => item.Partner, item => item.Key))
        {
            try
            {
                await told.Key.ReleaseAsync([.. told]).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                LogNotReleased(logger, told.Key.Name, error.Message);
            }
        }
    }

    private IReplicaPartner? LastFailed()
    {
        IReplicaPartner? last = null;
        long latest = long.MinValue;
        foreach ((IReplicaPartner partner, long at) in _failed)
        {
            if (!partner.IsAlive || time.GetElapsedTime(at) > Avoided)
            {
                _failed.TryRemove(partner, out _);
            }
            else if (at > latest)
            {
                (last, latest) = (partner, at);
            }
        }

        return last;
    }

    private void EndThoseWithoutCopy()
    {
        foreach (ReplicatedBatch batch in _batches.Values)
        {
            if (batch.Partner is null)
            {
                if (!replication.Peers.IsAlone)
                {
                    batch.End(FlushReason.PartnerFound);
                }
            }
            else if (batch.IsLost)
            {
                batch.End(FlushReason.PartnerLost);
            }
        }
    }

    private static async Task<bool> SendWholeAsync(SealedBatch batch, IReplicaPartner partner)
    {
        var copy = new ReplicatedBatch(batch.Key, batch.Opened, partner, _ => { });
        foreach ((byte[] lines, int events) in Pieces(batch))
        {
            if (await copy.HoldAsync(lines, events).ConfigureAwait(false) != ReplicaAnswer.Held)
            {
                return false;
            }
        }

        return true;
    }

    private static List<(byte[] Lines, int Events)> Pieces(SealedBatch batch)
    {
        var pieces = new List<(byte[], int)>();
        using var piece = new MemoryStream();
        int events = 0;
        void Cut()
        {
            pieces.Add((piece.ToArray(), events));
            piece.SetLength(0);
            events = 0;
        }

        using Stream content = batch.OpenContent();
        ContentCheck.ForEachLine(content, (line, _) =>
        {
            piece.Write(line);
            events++;
            if (piece.Length >= PieceBytes)
            {
                Cut();
            }
        }, out _, out _);
        if (events > 0)
        {
            Cut();
        }

        return pieces;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Partner} no longer holds {Key} ({Reason}); the node flushes the batch now")]
    private static partial void LogPartnerLost(ILogger logger, string partner, string key, string reason);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Partner} now holds a copy of all of {Key}, because its first partner was lost and storage does not answer")]
    private static partial void LogHeldAfresh(ILogger logger, string partner, string key);

    [LoggerMessage(Level = LogLevel.Warning,
        Message = "{Partner} did not take a copy of {Key} ({Error}); it stays under-replicated until it is stored")]
    private static partial void LogNotHeldAfresh(ILogger logger, string partner, string key, string error);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Could not tell {Partner} what is stored ({Error}); it will look in storage itself")]
    private static partial void LogNotReleased(ILogger logger, string partner, string error);
}
