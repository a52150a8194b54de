// Time in which this machine really ran. Containers and virtual machines are paused at times, for half a minute even: that is no server that hangs.
using System.Diagnostics;

namespace Estat.Fuzz;

/// <summary>Counts time in small steps; a step that took far longer than it should was a pause and counts as one step.</summary>
internal static class AwakeClock
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestStep = TimeSpan.FromMilliseconds(500);

    /// <summary>Waits for a task as long as the limit allows, by this clock.</summary>
    /// <exception cref="TimeoutException">It has not ended.</exception>
    internal static async Task<T> WithinAsync<T>(Task<T> task, TimeSpan limit)
    {
        TimeSpan awake = TimeSpan.Zero;
        TimeSpan step = Step;
        while (!task.IsCompleted)
        {
            long started = Stopwatch.GetTimestamp();
            await Task.WhenAny(task, Task.Delay(step));
            TimeSpan took = Stopwatch.GetElapsedTime(started);
            awake += took < LongestStep ? took : LongestStep;
            if (awake >= limit && !task.IsCompleted)
            {
                throw new TimeoutException($"waited {limit.TotalSeconds:0} s in vain");
            }

            // Long waits are looked at less often: there may be hundreds of them.
            step = step < LongestStep / 2 ? step * 2 : step;
        }

        return await task;
    }
}
