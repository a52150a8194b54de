// Whether the DLQ's files can still be found by the next start.
using Estat.Base.Logging;
using Estat.Collect.Conservation;

namespace Estat.Collect.Dlq;

internal sealed partial class DlqDirectory
{
    private const int ListingShare = 50;
    private static readonly TimeSpan GuardInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _looking = new();
    private readonly ToldFault _lookFault = new();
    private volatile string? _gone;
    private Task _look = Task.CompletedTask;
    private long _listed;
    private TimeSpan? _nextListing;

    /// <summary>Whether the folder was removed or replaced: nothing is written to it, and new files are refused.</summary>
    internal bool IsGone => _gone is not null;

    /// <summary>Looks at the folder every second until cancelled.</summary>
    internal async Task GuardAsync(CancellationToken cancellationToken)
    {
        using var ticks = new PeriodicTimer(GuardInterval, _time);
        while (await ticks.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_look.IsCompleted)
            {
                _look = Task.Run(Look, CancellationToken.None); // a file system that hangs must not keep the node from ending
            }
        }
    }

    /// <summary>Looks at the folder. It goes on by itself when the same one is back; it takes a restart to use another.</summary>
    internal void Look()
    {
        // Told without the lock.
        List<Action> lines = [];
        lock (_looking)
        {
            try
            {
                LookAtPlace(lines);
                LookForLost(lines);
                _lookFault.End();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                if (_lookFault.IsNews(error.Message))
                {
                    lines.Add(() => LogNotLooked(_logger, Folder, error.Message));
                }
            }
        }

        lines.ForEach(static tell => tell());
    }

    private void LookAtPlace(List<Action> lines)
    {
        string? before = _gone;
        _gone = _owner.WhyNotInPlace();
        if (before is null && _gone is { } why)
        {
            lines.Add(() => LogGone(_logger, Folder, why));
        }
        else if (before is not null && !IsGone)
        {
            lines.Add(() => LogBack(_logger, Folder));
        }
    }

    // What was counted and is not there any more, somebody took away. Reading the names of a long DLQ takes a while: a fiftieth of the time is spent
    // on it at the most.
    private void LookForLost(List<Action> lines)
    {
        if (Files == 0 || (_nextListing is { } next && _time.GetElapsedTime(_listed) < next))
        {
            return;
        }

        _listed = _time.GetTimestamp();
        HashSet<ulong> lost = _tally.All();
        foreach (string path in Directory.EnumerateFiles(_owner.Way))
        {
            lost.Remove(DlqTally.IdOf(Path.GetFileName(path)));
        }

        _nextListing = ListingShare * _time.GetElapsedTime(_listed);
        if (lost.Count > 0 && _owner.WhyNotInPlace() == _gone) // else these may be the names of another folder
        {
            GiveUp(lost, lines);
        }
    }

    private void GiveUp(HashSet<ulong> lost, List<Action> lines)
    {
        lock (_removing) // what left meanwhile, left the tally as well
        {
            (int files, long events, string names) = _tally.Remove(lost);
            if (files > 0)
            {
                _ledger.Move(events, Place.Dlq, Place.Dropped);
                lines.Add(() => LogLost(_logger, files, Folder, events, names));
            }
        }
    }

    private void ThrowIfGone()
    {
        Look();
        if (_gone is { } why)
        {
            throw new IOException($"DLQ_DIR {Folder} {why}");
        }
    }
}
