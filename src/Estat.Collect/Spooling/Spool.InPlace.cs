// Whether the spool's files can still be found by the next start: its folder under its path, and its segments in it.
using Estat.Base.Journal;
using Estat.Base.Logging;

namespace Estat.Collect.Spooling;

internal sealed partial class Spool
{
    private const int MostNamed = 10;

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

    /// <summary>
    /// Looks at the folder. It goes on by itself only when the same folder is back in its place and holds every open segment; another folder may be
    /// the mount point of a disk that went away, so it takes a restart to use one.
    /// </summary>
    internal void Look()
    {
        // Told, and acted upon, without the lock.
        List<Action> then = [];
        lock (_lookingGate)
        {
            Look(then);
        }

        then.ForEach(static act => act());
        if (IsGone)
        {
            DropSpares();
        }
    }

    /// <summary>Whether a segment's file is gone for good, and not only out of sight.</summary>
    internal bool IsMissing(string name)
    {
        Look();
        return _files.Has(name) == false;
    }

    /// <summary>The backlog has a segment's file now.</summary>
    internal void OnLeft(string name) => _open.TryRemove(name, out _);

    // On a thread of its own: a file system that hangs must not keep the watch from saying so, nor the node from ending.
    private void BeginLook(Action onLooked)
    {
        if (_looking.IsCompleted)
        {
            _looking = Task.Run(() =>
            {
                OnSyncing(_files, begins: true);
                try
                {
                    Look();
                    onLooked();
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
                    OnSyncing(_files, begins: false);
                }
            });
        }
    }

    private void Look(List<Action> then)
    {
        string? why = _owner?.WhyNotInPlace() ?? WhatWasLost();
        if (why is null && !_isCounted)
        {
            TryCountStart(then.Add); // in this folder, and not in one that stands in its place
        }

        if (why is null && IsGone && !TryRestoreIdentity(then))
        {
            return;
        }

        bool wasGone = IsGone;
        _gone = why;
        if (why is not null && !wasGone)
        {
            then.Add(() => LogGone(_logger, Folder, why));
        }
        else if (why is null && wasGone)
        {
            then.Add(() => LogBack(_logger, Folder));
        }
    }

    private string? WhatWasLost()
    {
        string[] lost = [.. _open.Where(IsLost).Select(each => each.Key).Order(StringComparer.Ordinal)];
        string names = string.Join(", ", lost.Take(MostNamed)) + (lost.Length > MostNamed ? ", …" : "");
        return lost.Length == 0 ? null : $"lost segments that were open ({names}): somebody removed, moved or replaced them";
    }

    // What left meanwhile was taken off before its file was removed.
    private bool IsLost(KeyValuePair<string, IJournalFile> each)
    {
        try
        {
            return each.Value.HasName(each.Key) == false && _open.TryGetValue(each.Key, out IJournalFile? file) && ReferenceEquals(file, each.Value);
        }
        catch (ObjectDisposedException)
        {
            return false; // it left just now
        }
    }

    // When the folder is emptied, it goes too.
    private bool TryRestoreIdentity(List<Action> then)
    {
        try
        {
            if (_files.ReadWhole(IdentityName, LongestIdentity) is null)
            {
                WriteIdentity();
            }

            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            then.Add(() => LogStillFailing(_logger, Folder, error.Message));
            return false;
        }
    }
}
