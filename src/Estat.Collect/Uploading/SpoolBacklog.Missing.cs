// Waiting segments that somebody else removed: named, counted, and given up.
using Estat.Collect.Conservation;

namespace Estat.Collect.Uploading;

internal sealed partial class SpoolBacklog
{
    private const int MostNamed = 10;

    // Reading the names of a long backlog takes a while: a fiftieth of the time is spent on it at the most.
    private const int ListingShare = 50;

    // At each look, and at once when the folder is gone.
    internal void LookForMissing()
    {
        if (!_spool.IsGone && Now < _nextListing)
        {
            return;
        }

        TimeSpan began = Now;
        GiveUpMissing();
        _nextListing = Now + (ListingShare * (Now - began));
    }

    // Of those that wait: what is being uploaded finds out by itself.
    private void GiveUpMissing()
    {
        if (!Volatile.Read(ref _stockTaken))
        {
            return;
        }

        HashSet<Waiting> before;
        lock (_gate)
        {
            before = [.. _waiting.UnorderedItems.Select(item => item.Element).Where(segment => segment.Held is null)];
        }

        if (before.Count == 0)
        {
            return;
        }

        try
        {
            // The names are those of the folder that the path leads to. Only the folder itself can say that one is missing.
            HashSet<string> there = [.. _spool.Files.Names()];
            before.RemoveWhere(segment => there.Contains(segment.Name) || _spool.Files.Has(segment.Name) != false);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return; // nobody knows
        }

        Waiting[] missing = before.Count == 0 ? [] : TakeOut(before.Contains);
        if (missing.Length > 0)
        {
            GiveUp(missing);
        }
    }

    // The process ends, and with it the files that have no name any more. The DLQ is on a disk.
    private void GiveUpHeld()
    {
        Waiting[] lost = [.. TakeOut(segment => segment.Held is not null).Where(segment => !TrySave(segment))];
        if (lost.Length > 0)
        {
            GiveUp(lost);
            Array.ForEach(lost, segment => segment.Held!.Dispose());
        }
    }

    private bool TrySave(Waiting segment)
    {
        try
        {
            using (var recovered = RecoveredSegment.Read(_spool.Files, segment.Name, _newEncoder, held: segment.Held))
            {
                if (recovered.Batch is not { } batch || !TryMoveToDlq(batch, "the node stopped before it was stored, and its segment was removed"))
                {
                    return false;
                }

                if (segment.Events > batch.Seal.Events)
                {
                    _ledger.Move(segment.Events - batch.Seal.Events, Place.Spooled, Place.Dropped);
                    TellOfDamage(segment, () => LogCutShort(_logger, segment.Name, recovered.TailReason));
                }
            }

            _spool.Delete(segment.Name, segment.Bytes);
            segment.Held!.Dispose();
            return true;
        }
        catch (Exception error)
        {
            LogUnreadable(_logger, segment.Name, error.Message); // whatever is wrong with one keeps none of the others from being saved
            return false;
        }
    }

    private Waiting[] TakeOut(Func<Waiting, bool> which)
    {
        lock (_gate)
        {
            ILookup<bool, (Waiting Segment, TimeSpan Due)> waiting = _waiting.UnorderedItems.ToLookup(
                item => which(item.Element), item => (item.Element, item.Priority));
            _waiting.Clear();
            _waiting.EnqueueRange(waiting[false]);
            return [.. waiting[true].Select(item => item.Segment)];
        }
    }

    private void GiveUp(Waiting[] segments)
    {
        long events = segments.Sum(segment => segment.Events);
        _ledger.Move(events, Place.Spooled, Place.Dropped);
        foreach (Waiting segment in segments)
        {
            _spool.OnGrown(-segment.Bytes);
        }

        string names = string.Join(", ", segments.Select(segment => segment.Name).Order(StringComparer.Ordinal).Take(MostNamed));
        LogMissing(_logger, segments.Length, _spool.Folder, events, names + (segments.Length > MostNamed ? ", …" : ""));
    }
}
