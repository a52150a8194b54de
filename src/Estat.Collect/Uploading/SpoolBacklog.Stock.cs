// What earlier starts left in the spool, counted before it is uploaded.
using Estat.Base.Journal;
using Estat.Base.Storage;
using Estat.Collect.Conservation;
using Estat.Collect.Spooling;

namespace Estat.Collect.Uploading;

internal sealed partial class SpoolBacklog
{
    // A sealed segment says in its head how many events it holds; only those that a crash left open are read whole.
    private void TakeStock(CancellationToken cancellationToken)
    {
        long events = 0;
        int spares = 0;
        int empty = 0;
        foreach (string name in _spool.Found)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (Count(name, ref spares, ref empty) is { } found)
                {
                    events += found.Events;
                    _ledger.Find(found.Events, Place.Spooled);
                    _spool.OnGrown(found.Bytes);
                    Enqueue(found, Now);
                }
            }
            catch (Exception error) when (error is not OperationCanceledException)
            {
                // Whatever is wrong with one segment keeps none of the others from being found.
                LogUnreadable(_logger, name, error.Message);
                Enqueue(new Waiting(name, 0, 0, 1), Now + Backoff.Dlq.After(1));
            }
        }

        Volatile.Write(ref _stockTaken, true);
        if (_spool.Found.Count - spares - empty is > 0 and var segments)
        {
            LogFound(_logger, segments, events, _spool.Folder);
        }

        if (spares > 0)
        {
            LogSparesRemoved(_logger, spares);
        }

        if (empty > 0)
        {
            LogEmptyRemoved(_logger, empty);
        }
    }

    // Null: nothing was ever acknowledged in it, and it is gone.
    private Waiting? Count(string name, ref int spares, ref int empty)
    {
        bool isSpare;
        using (SegmentReader reader = SegmentReader.Open(_spool.Files, name))
        {
            isSpare = reader.IsSpare;
            bool mayGo = reader.Identity is null && (isSpare || !Spool.IsNamedWhole(name))
                && reader.Examine(isSpare ? SegmentFormat.HeadBytes : 0) == TailKind.Clean;
            if (!mayGo)
            {
                long events = reader.Seal?.Events ?? (reader.Identity is null ? 0 : reader.ReadGoodRun((_, _) => { }).Events);
                return new Waiting(name, events, reader.Length, 0);
            }
        }

        spares += isSpare ? 1 : 0;
        empty += isSpare ? 0 : 1;
        _spool.Delete(name, 0);
        return null;
    }
}
