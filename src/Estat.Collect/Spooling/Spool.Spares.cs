// Where segments come from: files that are made in advance, so that no request waits for one.
using System.Globalization;
using Estat.Base.Journal;

namespace Estat.Collect.Spooling;

internal sealed partial class Spool
{
    /// <summary>A segment for a batch that opens: an empty file made in advance, or else one made now.</summary>
    /// <exception cref="IOException">The disk refuses.</exception>
    internal Segment Take(string key, DateTimeOffset opened)
    {
        ThrowIfGone();
        (string name, IJournalFile file) = _spares.Reader.TryRead(out (string, IJournalFile) spare) ? spare : Create(SegmentFormat.HeadBytes);
        try
        {
            return Segment.Begin(this, name, file, key, opened);
        }
        catch
        {
            file.Dispose();
            TryDelete(name);
            throw;
        }
    }

    /// <summary>Keeps spares ready until cancelled, so that no request waits for a file to be made.</summary>
    internal async Task KeepSparesAsync(CancellationToken cancellationToken)
    {
        while (await _spares.Writer.WaitToWriteAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                (string name, IJournalFile file) = await Task.Run(
                    () => Create(Math.Min(Volatile.Read(ref _typicalBytes), MostPrefilled)), cancellationToken).ConfigureAwait(false);
                if (!_spares.Writer.TryWrite((name, file)))
                {
                    file.Dispose();
                    TryDelete(name);
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // The writer that takes a segment meets the same error and reports it; here it only means that there is no spare yet.
                await Task.Delay(GuardInterval, _time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private void DropSpares()
    {
        while (_spares.Reader.TryRead(out (string Name, IJournalFile File) spare))
        {
            spare.File.Dispose();
            TryDelete(spare.Name);
        }
    }

    private (string Name, IJournalFile File) Create(long length)
    {
        ThrowIfGone();
        if (!_isCounted)
        {
            throw new IOException($"the disk of SPOOL_DIR {Folder} has had no room yet for the number of this start");
        }

        // With the id, so that a spool whose identity was lost never meets a name of its former self.
        string name = string.Create(
            CultureInfo.InvariantCulture, $"{Id[..8]}-{_start:D6}-{NamedWhole}{Interlocked.Increment(ref _number):D9}{Extension}");
        IJournalFile file = NamedFile.Create(_files, name, file => Prefill(file, name, length));
        _open[name] = file;
        return (name, file);
    }

    // Syncing what overwrites zeros takes about half the time of syncing what makes a file longer: no block is allocated, no size is journalled
    // (docs/decisions/0005). As many zeros as the last segments were long, so that a node with small batches writes few of them.
    private static void Prefill(IJournalFile file, string name, long length)
    {
        var head = new byte[SegmentFormat.HeadBytes];
        SegmentFormat.WriteSpare(head, name);
        file.Write(0, head);
        for (long at = head.Length; at < length; at += Zeros.Length)
        {
            file.Write(at, Zeros.AsSpan(0, (int)Math.Min(Zeros.Length, length - at)));
        }
    }
}
