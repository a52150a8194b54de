// Sequences that nobody ever had: a restore leaves out those that users of the lost table may have been told.
using System.Globalization;

namespace Estat.Requests.Aws.Items;

/// <summary>Ranges, in order. Never changed.</summary>
internal sealed class SkippedSequences
{
    private readonly (long From, long To)[] _ranges;

    private SkippedSequences((long From, long To)[] ranges) => _ranges = ranges;

    /// <summary>No restore.</summary>
    internal static SkippedSequences None { get; } = new([]);

    /// <summary>Reads its text; null is none.</summary>
    internal static SkippedSequences Parse(string? text) => text is null ? None : new(
        [.. text.Split(',').Select(range => range.Split('-')).Select(ends => (Number(ends[0]), Number(ends[1])))]);

    /// <summary>With one more, behind the others.</summary>
    internal SkippedSequences With(long from, long to) => new([.. _ranges, (from, to)]);

    /// <summary>The last sequence of the range that a sequence lies in; null if it was not skipped.</summary>
    internal long? EndOf(long sequence)
    {
        foreach ((long from, long to) in _ranges)
        {
            if (sequence >= from && sequence <= to)
            {
                return to;
            }
        }

        return null;
    }

    /// <summary>The last sequence from one on that was not skipped, up to another one.</summary>
    internal long Before(long from, long to) => _ranges.Where(range => range.From > from && range.From <= to)
        .Select(range => range.From - 1).DefaultIfEmpty(to).Min();

    /// <summary>How many sequences behind one, up to another one, were skipped.</summary>
    internal long Between(long after, long last) =>
        _ranges.Sum(range => Math.Max(0, Math.Min(range.To, last) - Math.Max(range.From - 1, after)));

    /// <inheritdoc/>
    public override string ToString() =>
        string.Join(',', _ranges.Select(range => string.Create(CultureInfo.InvariantCulture, $"{range.From}-{range.To}")));

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
