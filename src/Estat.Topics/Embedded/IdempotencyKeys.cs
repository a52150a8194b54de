// Idempotency keys, and what became of the productions that had them.
using Estat.Topics.Log;

namespace Estat.Topics.Embedded;

/// <summary>
/// A key is here from before its production is appended until TOPICS_DEDUP after, as the machine counts time: its clock may be set. One whose
/// production is certainly not in the log goes at once. One whose production is perhaps there stays until that is known. The start reads keys again
/// from the journal. Any thread.
/// </summary>
/// <param name="keep">TOPICS_DEDUP.</param>
/// <param name="most">TOPICS_DEDUP_MAX.</param>
/// <param name="time">Counts time.</param>
internal sealed class IdempotencyKeys(TimeSpan keep, int most, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Scope, string Key), KnownKey> _known = [];
    private readonly Queue<(long Timestamp, KnownKey Known)> _ending = new(); // in the order of time
    private long _weight;

    /// <summary>Looks for a key, and takes it when it is new.</summary>
    /// <param name="idempotency">The key.</param>
    /// <param name="takes">Whether a new one may be taken.</param>
    /// <param name="mine">The key, when it was new and was taken.</param>
    /// <returns>The key, when it was known; null when it is new.</returns>
    internal KnownKey? Enter(Idempotency idempotency, bool takes, out KnownKey? mine)
    {
        lock (_gate)
        {
            Forget();
            mine = null;
            if (_known.TryGetValue((idempotency.Scope, idempotency.Key), out KnownKey? known))
            {
                return known;
            }

            if (takes && _weight < most)
            {
                mine = new KnownKey(idempotency);
                _known.Add((idempotency.Scope, idempotency.Key), mine);
                _weight++;
            }

            return null;
        }
    }

    /// <summary>A production that has a key has ended.</summary>
    /// <param name="known">What <see cref="Enter"/> gave.</param>
    /// <param name="produced">What became of it.</param>
    /// <param name="end">Where the journal ended then.</param>
    internal void End(KnownKey known, Produced produced, long end)
    {
        lock (_gate)
        {
            if (produced.Outcome == ProduceOutcome.Taken)
            {
                _weight += known.Weigh(produced);
                _ending.Enqueue((time.GetTimestamp(), known));
            }
            else if (produced.Outcome == ProduceOutcome.Perhaps)
            {
                known.PerhapsAt = end;
                _ending.Enqueue((time.GetTimestamp(), known));
            }
            else
            {
                Drop(known);
            }
        }

        known.End(produced);
    }

    /// <summary>The production of a key is certainly not in the log: the key is new.</summary>
    internal void Remove(KnownKey known)
    {
        lock (_gate)
        {
            Drop(known);
        }
    }

    /// <summary>The start read a production that has a key.</summary>
    /// <param name="idempotency">The key.</param>
    /// <param name="produced">Where its messages are.</param>
    /// <param name="age">How long ago it was appended.</param>
    internal void Resume(Idempotency idempotency, Produced produced, TimeSpan age)
    {
        if (age > keep)
        {
            return;
        }

        if (_known.TryGetValue((idempotency.Scope, idempotency.Key), out KnownKey? earlier))
        {
            Drop(earlier);
        }

        var known = new KnownKey(idempotency);
        _known.Add((idempotency.Scope, idempotency.Key), known);
        _weight += 1 + known.Weigh(produced);
        long ago = (long)(Math.Max(0, age.TotalSeconds) * time.TimestampFrequency);
        _ending.Enqueue((time.GetTimestamp() - ago, known));
        known.End(produced);
    }

    private void Forget()
    {
        long now = time.GetTimestamp();
        while (_ending.TryPeek(out (long Timestamp, KnownKey Known) oldest) && time.GetElapsedTime(oldest.Timestamp, now) > keep)
        {
            _ending.Dequeue();
            Drop(oldest.Known);
        }
    }

    private void Drop(KnownKey known)
    {
        (string, string) key = (known.Idempotency.Scope, known.Idempotency.Key);
        if (_known.TryGetValue(key, out KnownKey? now) && ReferenceEquals(now, known))
        {
            _known.Remove(key);
            _weight -= known.Weight;
        }
    }
}

/// <summary>An idempotency key that is known.</summary>
/// <param name="idempotency">The key.</param>
internal sealed class KnownKey(Idempotency idempotency)
{
    // Messages whose positions take as much memory as the key itself.
    private const int MessagesAsKey = 300;

    // Some hundred thousand of them have ended: what waits for the end goes with it.
    private TaskCompletionSource<Produced>? _running = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Produced? _ended;

    /// <summary>The key.</summary>
    internal Idempotency Idempotency => idempotency;

    /// <summary>What became of its production, as its repetition is answered.</summary>
    internal Task<Produced> Ended => Volatile.Read(ref _running)?.Task ?? Task.FromResult(_ended!);

    /// <summary>Where the journal ended when its production was perhaps appended: once the journal has grown, the production is certainly not in
    /// it.</summary>
    internal long PerhapsAt { get; set; }

    /// <summary>How much it counts: 1, and more with many messages.</summary>
    internal int Weight { get; private set; } = 1;

    /// <summary>Counts its positions.</summary>
    /// <param name="produced">Where its messages are.</param>
    /// <returns>What it counts now beside 1.</returns>
    internal int Weigh(Produced produced)
    {
        Weight = 1 + (produced.Positions.Count / MessagesAsKey);
        return Weight - 1;
    }

    /// <summary>Whether a production is the same.</summary>
    internal bool IsOf(Idempotency other) => idempotency.BodyHash.Span.SequenceEqual(other.BodyHash.Span);

    /// <summary>Its production has ended.</summary>
    internal void End(Produced produced)
    {
        _ended = produced.Outcome == ProduceOutcome.Taken ? produced with { Outcome = ProduceOutcome.Repeated } : produced;
        TaskCompletionSource<Produced> running = _running!;
        Volatile.Write(ref _running, null);
        running.SetResult(_ended);
    }
}
