// Who holds the copy of which batch.
using System.Text;

namespace Estat.Grains.Replication;

/// <summary>
/// Rendezvous hashing: every silo ranks the others for a batch by a hash of both, so that batches spread evenly, and a silo that goes or comes
/// changes the choice only for its own part of them.
/// </summary>
public static class PartnerChoice
{
    private const ulong Offset = 14695981039346656037; // FNV-1a, 64 bits
    private const ulong Prime = 1099511628211;

    /// <summary>The one to hold a batch; null when there is nobody.</summary>
    /// <param name="candidates">The other silos that are alive.</param>
    /// <param name="key">The batch's key.</param>
    /// <param name="zone">This silo's zone; null if it has no name.</param>
    /// <param name="zoneOf">A candidate's zone; null if it has no name.</param>
    /// <param name="nameOf">A candidate's name, different for each.</param>
    /// <param name="except">Who is taken only if there is nobody else.</param>
    public static T? Of<T>(IReadOnlyList<T> candidates, string key, string? zone, Func<T, string?> zoneOf, Func<T, string> nameOf, T? except)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(candidates);
        ArgumentNullException.ThrowIfNull(zoneOf);
        ArgumentNullException.ThrowIfNull(nameOf);
        T? best = null;
        (bool IsOther, bool IsElsewhere, ulong Rank) bestRank = default;
        foreach (T candidate in candidates)
        {
            // Who just failed comes last, whatever its zone: a copy in the same zone is better than one that is not made.
            var rank = (!ReferenceEquals(candidate, except), zone is not null && zoneOf(candidate) is { } other
                && other != zone, Hash(nameOf(candidate), key));
            if (best is null || rank.CompareTo(bestRank) > 0)
            {
                (best, bestRank) = (candidate, rank);
            }
        }

        return best;
    }

    private static ulong Hash(string name, string key)
    {
        ulong hash = Add(Add(Offset, name), key);

        // FNV's high bits hardly depend on the last characters; the finalizer of MurmurHash3 makes them.
        hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
        hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
        return hash ^ (hash >> 33);
    }

    private static ulong Add(ulong hash, string text)
    {
        foreach (byte octet in Encoding.UTF8.GetBytes(text))
        {
            hash = (hash ^ octet) * Prime;
        }

        return (hash ^ 0xff) * Prime;
    }
}
