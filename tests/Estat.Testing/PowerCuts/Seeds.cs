// Runs a model over many seeds, and says how to repeat one that failed.
using System.Collections.Concurrent;
using System.Globalization;

namespace Estat.Testing.PowerCuts;

/// <summary>
/// <c>ESTAT_MODEL_SEEDS</c>: so many seeds instead of the usual number. <c>ESTAT_MODEL_SEED</c>: this seed alone, repeatedly.
/// </summary>
internal static class Seeds
{
    private const int Repetitions = 200;

    /// <summary>Runs it over seeds 1 to <paramref name="usual"/>.</summary>
    /// <param name="usual">How many.</param>
    /// <param name="atOnce">How many at once.</param>
    /// <param name="run">One run; what it throws is a broken promise.</param>
    /// <exception cref="InvalidOperationException">A run failed; the message says which, and how to repeat it.</exception>
    internal static async Task RunAsync(int usual, int atOnce, Func<int, Task> run)
    {
        ArgumentNullException.ThrowIfNull(run);
        int? only = Number("ESTAT_MODEL_SEED");
        IEnumerable<int> seeds = only is { } one ? Enumerable.Repeat(one, Repetitions) : Enumerable.Range(1, Number("ESTAT_MODEL_SEEDS") ?? usual);
        var failures = new ConcurrentQueue<string>();
        int done = 0;
        await Parallel.ForEachAsync(seeds, new ParallelOptions { MaxDegreeOfParallelism = atOnce }, async (seed, _) =>
        {
            if (!failures.IsEmpty)
            {
                return;
            }

            try
            {
                await run(seed);
                Interlocked.Increment(ref done);
            }
            catch (Exception error)
            {
                failures.Enqueue(string.Create(
                    CultureInfo.InvariantCulture, $"seed {seed}, after {done} good ones (again: ESTAT_MODEL_SEED={seed} make "
                        + $"model):\n{error.Message}\n{(error is InvalidOperationException ? "" : error)}"));
            }
        });
        if (!failures.IsEmpty)
        {
            throw new InvalidOperationException(string.Join("\n", failures));
        }
    }

    private static int? Number(string variable) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : null;
}
