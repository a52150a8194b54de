// Waiting segments that somebody else removed: named, counted, and given up.
using Estat.Collect.Conservation;

namespace Estat.Collect.Spooling;

internal sealed partial class SpoolBacklog
{
    private const int MostNamed = 10;

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

        HashSet<string> there;
        try
        {
            there = [.. _spool.Files.Names()];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return; // nobody knows
        }

        Waiting[] missing = TakeOut(segment => !there.Contains(segment.Name) && before.Contains(segment));
        if (missing.Length > 0)
        {
            GiveUp(missing);
        }
    }

    // The process ends, and with it the files that have no name any more.
    private void GiveUpHeld()
    {
        Waiting[] held = TakeOut(segment => segment.Held is not null);
        if (held.Length > 0)
        {
            GiveUp(held);
            Array.ForEach(held, segment => segment.Held!.Dispose());
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
