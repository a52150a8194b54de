// What a decider has read of the order log, and not decided.
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Items;

namespace Estat.Requests.Aws.Deciding;

/// <summary>
/// Reads up to the first gap: the request of that sequence may still come. Gaps that are old enough are sealed, and so is every gap once no sequences
/// are given any more. Its decider's thread.
/// </summary>
/// <param name="log">The campaign's.</param>
/// <param name="state">The campaign.</param>
/// <param name="sealAfter">How old a gap is that is sealed.</param>
internal sealed class EntriesAhead(OrderLog log, CampaignState state, TimeSpan sealAfter)
{
    /// <summary>Entries that are read ahead: some transactions' worth.</summary>
    internal const int Most = 200;

    private readonly LinkedList<LogEntry> _entries = new();

    // When this node saw which sequence: from then on a sequence up to there is at least that old.
    private readonly Queue<(long At, long Last)> _seen = new();
    private long _sealable;

    /// <summary>The last sequence that was read; those up to there that have no entry are nobody's.</summary>
    internal long Last { get; private set; }

    /// <summary>Requests that were read and that the table does not count as accepted yet.</summary>
    internal long Accepted { get; private set; }

    /// <summary>Whether there are sequences that may become old enough to be sealed.</summary>
    internal bool MaySeal => _seen.Count > 0;

    /// <summary>Forgets what was read, and goes on behind what is decided.</summary>
    internal void Restart(ProgressItem progress)
    {
        _entries.Clear();
        Last = progress.Decided;
        Accepted = 0;
    }

    /// <summary>Entries behind a sequence, in order.</summary>
    internal IEnumerable<LogEntry> Behind(long sequence) => _entries.Where(entry => entry.Sequence > sequence);

    /// <summary>The table counts what was read, and knows what is decided.</summary>
    internal void OnCommitted(ProgressItem progress)
    {
        Accepted = 0;
        while (_entries.First is { } first && first.Value.Sequence <= progress.Decided)
        {
            _entries.RemoveFirst();
        }
    }

    /// <summary>Notes how old sequences are.</summary>
    /// <param name="now">When the campaign's last sequence was looked at.</param>
    internal void OnPolled(long now)
    {
        if (state.Sequence.Last > Last)
        {
            _seen.Enqueue((now, state.Sequence.Last));
        }

        while (_seen.TryPeek(out (long At, long Last) seen) && TimeProvider.System.GetElapsedTime(seen.At) >= sealAfter)
        {
            _sealable = _seen.Dequeue().Last;
        }
    }

    /// <summary>Reads on.</summary>
    internal async Task ReadAsync(CancellationToken cancellationToken)
    {
        SequenceItem sequence = state.Sequence;
        long sealable = sequence.IsOpen ? _sealable : sequence.Last;
        while (_entries.Count < Most && Last < sequence.Last)
        {
            (List<LogEntry> entries, List<long> gaps, long last) =
                await log.ReadAsync(Last + 1, sequence.Last, cancellationToken).ConfigureAwait(false);
            if (gaps.Count > 0 && gaps[0] <= sealable)
            {
                await log.SealAsync([.. gaps.Where(gap => gap <= sealable)], cancellationToken).ConfigureAwait(false);
                continue;
            }

            long end = gaps.Count > 0 ? gaps[0] - 1 : last;
            foreach (LogEntry entry in entries.Where(entry => entry.Sequence <= end))
            {
                _entries.AddLast(entry);
                Accepted += entry.Sequence > state.Progress.Sealed ? 1 : 0;
            }

            Last = end;
            if (gaps.Count > 0)
            {
                return;
            }
        }
    }
}
