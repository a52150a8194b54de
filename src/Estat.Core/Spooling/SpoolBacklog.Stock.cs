// What earlier starts left in the spool, counted before it is uploaded.
using Estat.Core.Conservation;
using Estat.Core.Uploading;

namespace Estat.Core.Spooling;

internal sealed partial class SpoolBacklog
{
    // A sealed segment says in its head how many events it holds; only those that a crash left open are read whole.
    private void TakeStock(CancellationToken cancellationToken)
    {
        long events = 0;
        foreach (string name in _spool.Found)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                if (Count(name) is { } found)
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
        if (_spool.Found.Count > 0)
        {
            LogFound(_logger, _spool.Found.Count, events, _spool.Folder);
        }
    }

    // Null: nothing was ever acknowledged in it, and it is gone; or it is left alone.
    private Waiting? Count(string name)
    {
        bool isEmpty;
        using (SegmentReader reader = SegmentReader.Open(_spool.Files, name))
        {
            if (reader.IsOfOtherVersion)
            {
                LogOtherVersion(_logger, name);
                return null;
            }

            isEmpty = reader.Identity is null && reader.Examine(0) == TailKind.Clean;
            if (!isEmpty)
            {
                long events = reader.Seal?.Events ?? (reader.Identity is null ? 0 : reader.ReadGoodRun((_, _) => { }).Events);
                return new Waiting(name, events, reader.Length, 0);
            }
        }

        _spool.Delete(name, 0);
        return null;
    }
}
