// Driving a clock while other threads work.
namespace Estat.Testing;

/// <summary>The test stays the only driver of time.</summary>
public static class ManualTimeDriving
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    /// <summary>Advances step by step until the condition holds.</summary>
    public static Task AdvanceUntilAsync(this ManualTimeProvider time, TimeSpan step, Func<bool> condition, string what) => Wait.UntilAsync(
        () =>
        {
            if (condition())
            {
                return true;
            }

            time.Advance(step);
            return condition();
        },
        Limit, what);
}
