// How long a failed attempt waits for the next one.
namespace Estat.Requests.Deciding;

/// <summary>Doubles from a second to a minute: five attempts take a quarter of a minute, and a long outage costs little.</summary>
internal static class Backoffs
{
    private const int Doublings = 6;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(1);

    /// <summary>The wait after an attempt that failed.</summary>
    /// <param name="attempts">Attempts that have failed so far, this one too.</param>
    internal static TimeSpan After(int attempts)
    {
        var wait = TimeSpan.FromSeconds(1 << Math.Clamp(attempts - 1, 0, Doublings));
        return wait < Longest ? wait : Longest;
    }
}
