// Where every event is: the conservation of events, kept as flows between places.
namespace Estat.Collect.Conservation;

/// <summary>Where events can be once they were accepted.</summary>
public enum Place
{
    /// <summary>In memory: in a queue, an open batch, or a sealed one that is waiting or being uploaded.</summary>
    Buffered,

    /// <summary>In a segment of the spool; perhaps in memory as well.</summary>
    Spooled,

    /// <summary>In a file of the DLQ.</summary>
    Dlq,

    /// <summary>In an object under <c>RAW_PREFIX</c>.</summary>
    Stored,

    /// <summary>In an object under <c>DLQ_PREFIX</c>.</summary>
    Quarantined,

    /// <summary>Given up: by the policy that evicts, or because neither storage nor disk took it before the process had to end.</summary>
    Dropped,
}

/// <summary>One consistent reading. <c>Accepted + Found = Stored + Buffered + Spooled + Dlq + Quarantined + Dropped</c>, always.</summary>
/// <param name="Accepted">Events taken by this process: acknowledged, or at <c>replica</c> durable here and refused for want of a copy.</param>
/// <param name="Found">Events that an earlier process left in the spool and the DLQ, or in the quarantine if they left it since.</param>
/// <param name="Stored">Events in RAW.</param>
/// <param name="Buffered">Events in memory alone.</param>
/// <param name="Spooled">Events in the spool.</param>
/// <param name="Dlq">Events in DLQ files.</param>
/// <param name="Quarantined">Events in the quarantine.</param>
/// <param name="Dropped">Events given up.</param>
public readonly record struct Balance(long Accepted, long Found, long Stored, long Buffered, long Spooled, long Dlq, long Quarantined, long Dropped);

/// <summary>
/// Counts what moves from place to place, a batch at a time. Moves stand under one lock. A reading takes no lock that they need, so that a
/// scrape holds up nobody: it is made again when something has moved meanwhile, and so never sees an event twice or not at all. What is buffered or
/// spooled is what was accepted there and has not moved: it needs no work per event.
/// </summary>
/// <param name="acceptedInMemory">Events acknowledged at <c>memory</c> since the start.</param>
/// <param name="acceptedInSpool">Events acknowledged above it.</param>
public sealed class Ledger(Func<long> acceptedInMemory, Func<long> acceptedInSpool)
{
    // Moves are of batches: a reading that was in vain as often as this met a flood of them, and keeps one of them waiting for once.
    private const int MostTries = 100;
    private static readonly int Places = Enum.GetValues<Place>().Length;
    private readonly Lock _gate = new();
    private readonly long[,] _moved = new long[Places, Places];
    private readonly long[] _found = new long[Places];
    private int _version; // odd while something is being written

    /// <summary>A batch's events went from one place to another.</summary>
    public void Move(long events, Place from, Place to)
    {
        lock (_gate)
        {
            Interlocked.Increment(ref _version);
            _moved[(int)from, (int)to] += events;
            Interlocked.Increment(ref _version);
        }
    }

    /// <summary>Events of an earlier process were found in the spool, the DLQ or the quarantine; fewer than none when they turn out to have been
    /// counted elsewhere.</summary>
    public void Find(long events, Place place)
    {
        lock (_gate)
        {
            Interlocked.Increment(ref _version);
            _found[(int)place] += events;
            Interlocked.Increment(ref _version);
        }
    }

    /// <summary>Events that ever moved between the two places.</summary>
    public long Moved(Place from, Place to) => Consistent(() => _moved[(int)from, (int)to]);

    /// <summary>Events that ever came to a place.</summary>
    public long Arrived(Place place) => Consistent(() => In(place));

    /// <summary>Where everything is now.</summary>
    public Balance Read() => Consistent(() =>
    {
        long inMemory = acceptedInMemory();
        long inSpool = acceptedInSpool();
        return new Balance(
            inMemory + inSpool,
            _found.Sum(),
            In(Place.Stored),
            inMemory - Out(Place.Buffered),
            inSpool + _found[(int)Place.Spooled] - Out(Place.Spooled),
            _found[(int)Place.Dlq] + In(Place.Dlq) - Out(Place.Dlq),
            _found[(int)Place.Quarantined] + In(Place.Quarantined) - Out(Place.Quarantined),
            In(Place.Dropped));
    });

    private T Consistent<T>(Func<T> read)
    {
        var pause = new SpinWait();
        for (int tries = 0; tries < MostTries; tries++)
        {
            int before = Volatile.Read(ref _version);
            if (before % 2 == 0)
            {
                T result = read();
                Interlocked.MemoryBarrier();
                if (Volatile.Read(ref _version) == before)
                {
                    return result;
                }
            }

            pause.SpinOnce();
        }

        lock (_gate)
        {
            return read();
        }
    }

    private long In(Place place)
    {
        long sum = 0;
        for (int from = 0; from < Places; from++)
        {
            sum += _moved[from, (int)place];
        }

        return sum;
    }

    private long Out(Place place)
    {
        long sum = 0;
        for (int to = 0; to < Places; to++)
        {
            sum += _moved[(int)place, to];
        }

        return sum;
    }
}
