// Whether the spool's files can still be found by the next start: its folder under its path, and its segments in it.
using Estat.Base.Logging;

namespace Estat.Collect.Spooling;

internal sealed partial class Spool
{
    private readonly Lock _lookingGate = new();
    private readonly ToldFault _lookFault = new();
    private volatile string? _gone;
    private Task _looking = Task.CompletedTask;

    /// <summary>Whether its folder was removed or replaced, or files in it were: what is written here now, the next start would not find.</summary>
    internal bool IsGone => _gone is not null;

    /// <exception cref="IOException">Nothing may be written, as it would not be found again.</exception>
    internal void ThrowIfGone()
    {
        if (_gone is { } why)
        {
            throw new IOException($"SPOOL_DIR {Folder} {why}");
        }
    }

    /// <summary>Called every second while the folder is gone: what waits in it may be gone as well.</summary>
    internal Action? OnGone { get; set; }

    /// <summary>
    /// Looks at the folder. It goes on by itself only when the same folder is back in its place and holds every open segment; another folder may be
    /// the mount point of a disk that went away, so it takes a restart to use one.
    /// </summary>
    internal void Look()
    {
        lock (_lookingGate)
        {
            string? why = _owner?.WhyNotInPlace() ?? (_open.Values.Any(HasLostItsName) ? "lost files that were open" : null);
            if (why is null && !_isCounted)
            {
                TryCountStart(); // in this folder, and not in one that stands in its place
            }

            if (why is null && IsGone && !TryRestoreIdentity())
            {
                return;
            }

            bool wasGone = IsGone;
            _gone = why;
            if (IsGone)
            {
                if (!wasGone)
                {
                    LogGone(_logger, Folder, why!);
                }

                DropSpares();
                OnGone?.Invoke();
            }
            else if (wasGone)
            {
                LogBack(_logger, Folder);
            }
        }
    }

    /// <summary>Whether a segment's file is gone for good, and not only out of sight.</summary>
    internal bool IsMissing(string name)
    {
        Look();
        try
        {
            _files.Open(name).Dispose();
            return false;
        }
        catch (FileNotFoundException)
        {
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>The backlog has a segment's file now.</summary>
    internal void OnLeft(string name) => _open.TryRemove(name, out _);

    // On a thread of its own: a file system that hangs must not keep the watch from saying so, nor the node from ending.
    private void BeginLook()
    {
        if (_looking.IsCompleted)
        {
            _looking = Task.Run(() =>
            {
                OnFlushing(_files, begins: true);
                try
                {
                    Look();
                    _lookFault.End();
                }
                catch (Exception error) when (error is IOException or UnauthorizedAccessException)
                {
                    if (_lookFault.IsNews(error.Message))
                    {
                        LogNotLooked(_logger, Folder, error.Message);
                    }
                }
                finally
                {
                    OnFlushing(_files, begins: false);
                }
            });
        }
    }

    private static bool HasLostItsName(ISpoolFile file)
    {
        try
        {
            return !file.HasName;
        }
        catch (ObjectDisposedException)
        {
            return false; // it left just now
        }
    }

    // When the folder is emptied, it goes too.
    private bool TryRestoreIdentity()
    {
        try
        {
            if (_files.ReadWhole(IdentityName) is null)
            {
                WriteIdentity();
            }

            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            LogStillFailing(_logger, Folder, error.Message);
            return false;
        }
    }
}
