// So many a second and no more.
namespace Estat.Lake.Replaying;

/// <summary>Spreads units evenly over time; what was not used is not saved up. Safe for concurrent use.</summary>
internal sealed class Pace(double perSecond, TimeProvider time)
{
    private readonly long _began = time.GetTimestamp();
    private readonly Lock _gate = new();
    private double _free;

    /// <summary>Waits until <paramref name="units"/> more may go.</summary>
    internal async ValueTask WaitAsync(long units, CancellationToken cancellationToken)
    {
        double wait;
        lock (_gate)
        {
            double now = time.GetElapsedTime(_began).TotalSeconds;
            wait = _free - now;
            _free = Math.Max(_free, now) + (units / perSecond);
        }

        if (wait > 0)
        {
            await Task.Delay(TimeSpan.FromSeconds(wait), time, cancellationToken).ConfigureAwait(false);
        }
    }
}
