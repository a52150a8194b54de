// Whether the DLQ's files can still be found by the next start.
using Estat.Base.Logging;
using Estat.Collect.Conservation;
using Estat.Lake.Names;

namespace Estat.Collect.Recovery;

internal sealed partial class DlqDirectory
{
    private static readonly TimeSpan GuardInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _looking = new();
    private readonly ToldFault _lookFault = new();
    private volatile string? _gone;
    private Task _look = Task.CompletedTask;

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
        lock (_looking)
        {
            try
            {
                string? before = _gone;
                _gone = _owner.WhyNotInPlace();
                if (before is null && _gone is { } why)
                {
                    LogGone(_logger, Folder, why);
                }
                else if (before is not null && !IsGone)
                {
                    LogBack(_logger, Folder);
                }

                GiveUpLost();
                _lookFault.End();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                if (_lookFault.IsNews(error.Message))
                {
                    LogNotLooked(_logger, Folder, error.Message);
                }
            }
        }
    }

    // Somebody removed them all. One that is left, or nothing that was counted, and there is no telling.
    private void GiveUpLost()
    {
        lock (_removing)
        {
            if (Files == 0 || Directory.EnumerateFiles(_owner.Way).Any(static path => path.EndsWith(ObjectKeys.Extension, StringComparison.Ordinal)))
            {
                return;
            }

            (long files, long events) = _tally.Clear();
            _ledger.Move(events, Place.Dlq, Place.Dropped);
            LogLost(_logger, files, Folder, events);
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
