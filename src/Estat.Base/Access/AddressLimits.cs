// How many events a second from one client address.
using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Numerics;
using Estat.Base.Threading;

namespace Estat.Base.Access;

/// <summary>
/// One token bucket per IPv4 address or IPv6 /64, in a table of fixed size: where it is full the bucket goes that is nearest to being full again,
/// which errs in favour of its address. Any thread; allocates nothing. Why not System.Threading.RateLimiting: docs/decisions/0007-rate-limits.md.
/// </summary>
public sealed class AddressLimits
{
    private const int Ways = 4;
    private const int Sets = 16 * 1024; // 65,536 addresses in 1 MB
    private const int Locks = 64;

    // Seconds. Behind one NAT there are many: one batch must not shut others out for long.
    private const double LongestDebt = 60;

    private readonly EventRate _rate;
    private readonly TimeProvider _time;
    private readonly Bucket[] _buckets = new Bucket[Sets * Ways];
    private readonly Lock[] _gates = [.. Enumerable.Range(0, Locks).Select(_ => new Lock())];
    private readonly ulong _seed = RandomBits.Next() | 1; // whoever chooses addresses does not choose whom they meet

    /// <param name="perSecond">Events a second.</param>
    /// <param name="burst">Events at once; null is two seconds' worth.</param>
    /// <param name="time">The clock.</param>
    public AddressLimits(double perSecond, double? burst, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        _rate = new EventRate(perSecond, burst ?? Math.Max(1, 2 * perSecond), time.TimestampFrequency, LongestDebt);
        _time = time;
    }

    /// <summary>What addresses are told apart by: an IPv4 address, or the first 64 bits of an IPv6 one, as whoever has one of those has all of
    /// them.</summary>
    public static ulong KeyOf(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[16];
        address = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return !address.TryWriteBytes(bytes, out _) ? 0
            : address.AddressFamily == AddressFamily.InterNetwork ? (1UL << 32) | BinaryPrimitives.ReadUInt32BigEndian(bytes)
            : BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }

    /// <summary>Takes events out of the address' bucket; all or none.</summary>
    /// <param name="key">The address.</param>
    /// <param name="events">How many; 0 only looks whether there is room for one.</param>
    /// <param name="wait">When refused: after how long the same would be taken.</param>
    public bool TryTake(ulong key, int events, out TimeSpan wait)
    {
        int set = (int)((key * _seed) >> (64 - BitOperations.Log2(Sets)));
        Span<Bucket> ways = _buckets.AsSpan(set * Ways, Ways);
        long now = _time.GetTimestamp();
        long lack;
        lock (_gates[set % Locks])
        {
            ref Bucket bucket = ref Find(ways, key, out bool isNew);
            long full = isNew ? now : bucket.Full;
            lack = _rate.Take(ref full, now, events);
            if (lack == 0 && events > 0)
            {
                bucket = new Bucket { Key = key, Full = full };
            }
        }

        wait = lack == 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(lack / (double)_time.TimestampFrequency);
        return lack == 0;
    }

    // The address' own bucket, or the one to give up for it.
    private static ref Bucket Find(Span<Bucket> ways, ulong key, out bool isNew)
    {
        int least = 0;
        for (int i = 0; i < ways.Length; i++)
        {
            if (ways[i].Key == key && ways[i].Full != 0)
            {
                isNew = false;
                return ref ways[i];
            }

            least = ways[i].Full < ways[least].Full ? i : least;
        }

        isNew = true;
        return ref ways[least];
    }

    private struct Bucket
    {
        internal ulong Key;
        internal long Full;
    }
}
