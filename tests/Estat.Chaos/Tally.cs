// The sums over all rounds, by ack level.

using System.Globalization;
using Estat.Testing;

namespace Estat.Chaos;

/// <summary>Adds up rounds and prints the table.</summary>
internal sealed class Tally
{
    private readonly SortedDictionary<string, Sums> _levels = new(Comparer<string>.Create((a, b) => Rank(a).CompareTo(Rank(b))));
    private TimeSpan _slowestSettling;

    internal int Rounds { get; private set; }

    internal int Kills { get; private set; }

    internal int Failures { get; private set; }

    internal int Readings { get; private set; }

    internal void Add(RoundResult result)
    {
        Rounds++;
        Kills += result.Kills;
        Readings += result.Readings;
        Failures += result.Complaints.Count > 0 ? 1 : 0;
        _slowestSettling = result.Settled > _slowestSettling ? result.Settled : _slowestSettling;
        foreach (var (level, audit) in result.Levels)
        {
            var sums = _levels.TryGetValue(level, out var known) ? known : _levels[level] = new Sums();
            sums.Rounds++;
            sums.Kills += result.Kills;
            sums.Acknowledged += audit.Acknowledged;
            sums.FoundOnce += audit.Numbers.FoundOnce;
            sums.Lost += audit.Numbers.Lost.Count;
            sums.LostAllowed += result.MayLose(level) ? audit.Numbers.Lost.Count : 0;
            sums.Duplicated += audit.Numbers.Duplicated.Count;
            sums.NeverAcknowledged += audit.Numbers.NeverAcknowledged.Count;
        }
    }

    /// <summary>A round that came to no result at all.</summary>
    internal void AddBroken()
    {
        Rounds++;
        Failures++;
    }

    internal void Print(TextWriter output, TimeSpan elapsed)
    {
        output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
            $"{Rounds} rounds in {elapsed.TotalMinutes:0.0} min ({Rounds / elapsed.TotalMinutes:0.0} a minute), {Kills} kills, {Readings} readings "
                + $"of the "
            + $"counters; slowest to come to rest: {_slowestSettling.TotalSeconds:0.0} s"));
        output.WriteLine();
        output.WriteLine("ack level   rounds   kills   acknowledged   found once     lost   duplicated   never acknowledged");
        foreach (var (level, sums) in _levels)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{level,-9} {sums.Rounds,8} {sums.Kills,7} {sums.Acknowledged,14} {sums.FoundOnce,12} {sums.Lost,8} {sums.Duplicated,12} "
                + $"{sums.NeverAcknowledged,20}"));
        }

        output.WriteLine();
        foreach (var (level, sums) in _levels.Where(entry => entry.Value.LostAllowed > 0))
        {
            output.WriteLine(level == AckNames.Memory
                ? $"The {sums.LostAllowed} lost at memory were in the buffer of a process that was killed: memory promises no more, and the oracle "
                    + $"sees it."
                : $"The {sums.LostAllowed} lost at {level} were on a disk that was taken away: {level} promises no more.");
        }

        output.WriteLine("Never acknowledged: stored, but the answer was lost with the process or the connection, or said 503 for a failing disk.");
    }

    private static int Rank(string level) => AckNames.All.Contains(level) ? AckNames.All.ToList().IndexOf(level) : int.MaxValue;

    private sealed class Sums
    {
        public int Rounds { get; set; }

        public int Kills { get; set; }

        public long Acknowledged { get; set; }

        public long FoundOnce { get; set; }

        public long Lost { get; set; }

        public long LostAllowed { get; set; }

        public long Duplicated { get; set; }

        public long NeverAcknowledged { get; set; }
    }
}
