// Waiting for a condition instead of for a while: the only way a test here lets time pass.

using System.Diagnostics;

namespace Estat.Testing;

/// <summary>Polls a condition until it holds; a wait that ends in vain says what it waited for and what it last saw.</summary>
public static class Wait
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(20);

    /// <summary>Returns as soon as <paramref name="condition"/> is true.</summary>
    /// <param name="condition">Asked at once and then about every 20 ms. What it throws ends the wait.</param>
    /// <param name="timeout">How long to go on asking.</param>
    /// <param name="what">Completes "waited 10 s for …".</param>
    /// <param name="lastSeen">Asked once, when the time is up, for what stood in the way.</param>
    /// <exception cref="TimeoutException">The condition was still false when the time was up.</exception>
    public static Task UntilAsync(Func<bool> condition, TimeSpan timeout, string what, Func<string>? lastSeen = null) =>
        UntilAsync(() => Task.FromResult(condition()), timeout, what, lastSeen);

    /// <inheritdoc cref="UntilAsync(Func{bool}, TimeSpan, string, Func{string}?)"/>
    public static async Task UntilAsync(Func<Task<bool>> condition, TimeSpan timeout, string what, Func<string>? lastSeen = null)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var answer = condition();
            // A condition that hangs must not make the wait endless.
            var left = timeout - Stopwatch.GetElapsedTime(started);
            if (answer.IsCompleted || await Task.WhenAny(answer, Task.Delay(left > Between ? left : Between)) == answer)
            {
                if (await answer)
                {
                    return;
                }
            }

            if (Stopwatch.GetElapsedTime(started) >= timeout)
            {
                var seen = lastSeen?.Invoke() ?? "the condition still false";
                throw new TimeoutException($"waited {timeout.TotalSeconds:0.###} s for {what}; last seen: {seen}");
            }

            await Task.Delay(Between);
        }
    }
}
