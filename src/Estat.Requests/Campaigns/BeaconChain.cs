// When the rounds of a drand chain come.
namespace Estat.Requests.Campaigns;

/// <summary>A chain's clock: round 1 comes at its genesis, each other one a period after the one before.</summary>
/// <param name="Genesis">Unix seconds.</param>
/// <param name="Period">Seconds.</param>
internal readonly record struct BeaconChain(long Genesis, long Period)
{
    // The League of Entropy's chains "default" and "quicknet": https://api.drand.sh/HASH/info. Both are fixed for ever by the hash.
    private static readonly Dictionary<string, BeaconChain> Known = new(StringComparer.Ordinal)
    {
        ["8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce"] = new(1_595_431_050, 30),
        ["52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"] = new(1_692_803_367, 3),
    };

    /// <summary>The clock of a chain that everybody uses; null for others.</summary>
    internal static BeaconChain? OfHash(string hash) => Known.TryGetValue(hash, out BeaconChain chain) ? chain : null;

    /// <summary>When a round comes; the end of time for one that comes later than that.</summary>
    internal DateTimeOffset TimeOf(long round)
    {
        Int128 seconds = Genesis + ((Int128)(round - 1) * Period);
        return seconds >= DateTimeOffset.MaxValue.ToUnixTimeSeconds() ? DateTimeOffset.MaxValue : DateTimeOffset.FromUnixTimeSeconds((long)seconds);
    }

    /// <summary>The first round that comes after a moment.</summary>
    internal long FirstAfter(DateTimeOffset moment)
    {
        long seconds = moment.ToUnixTimeSeconds(); // rounded down, so a round at this second is not after it
        return seconds < Genesis ? 1 : ((seconds - Genesis) / Period) + 2;
    }
}
