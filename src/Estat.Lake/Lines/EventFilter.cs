// Which events somebody wants to see: text in the line, values in the body.
using System.Buffers;
using System.Text;

namespace Estat.Lake.Lines;

/// <summary>All of its conditions hold. Immutable; safe for concurrent use.</summary>
public sealed class EventFilter
{
    private readonly IReadOnlyList<(JsonPath Path, string Value)> _where;
    private readonly string? _contains;

    private EventFilter(IReadOnlyList<(JsonPath Path, string Value)> where, string? contains)
    {
        _where = where;
        _contains = contains;
    }

    /// <summary>What a condition looks like, for messages.</summary>
    public const string TakesWhere = "PATH=VALUE, such as $.page.path=/cart";

    /// <summary>Whether every event passes.</summary>
    public bool TakesAll => _where.Count == 0 && _contains is null;

    /// <summary>A filter.</summary>
    /// <param name="where">Conditions as <see cref="TakesWhere"/>: the body is JSON and has that value there.</param>
    /// <param name="contains">The line holds this text, whatever its case; null or empty: any.</param>
    /// <exception cref="FormatException">A condition that is none; the message names it.</exception>
    public static EventFilter Of(IEnumerable<string> where, string? contains) =>
        new([.. where.Select(Condition)], string.IsNullOrEmpty(contains) ? null : contains);

    /// <summary>Whether an event passes.</summary>
    /// <param name="line">Its line.</param>
    /// <param name="body">Its body, unescaped; not read unless there are conditions on it.</param>
    public bool Passes(ReadOnlySpan<byte> line, ReadOnlySpan<byte> body)
    {
        if (_contains is not null && !Contains(line, _contains))
        {
            return false;
        }

        foreach ((JsonPath path, string value) in _where)
        {
            if (path.ValueIn(body) != value)
            {
                return false;
            }
        }

        return true;
    }

    private static (JsonPath Path, string Value) Condition(string text)
    {
        // The value may hold an equals sign, and so may a quoted name: the first one that leaves a path before it is the one.
        for (int equals = text.IndexOf('=', StringComparison.Ordinal); equals > 0; equals = text.IndexOf('=', equals + 1))
        {
            if (JsonPath.TryParse(text[..equals]) is { } path)
            {
                return (path, text[(equals + 1)..]);
            }
        }

        throw new FormatException($"{text}: must be {TakesWhere}");
    }

    private static bool Contains(ReadOnlySpan<byte> line, string text)
    {
        char[] characters = ArrayPool<char>.Shared.Rent(Encoding.UTF8.GetMaxCharCount(line.Length));
        int count = Encoding.UTF8.GetChars(line, characters);
        bool found = characters.AsSpan(0, count).Contains(text, StringComparison.OrdinalIgnoreCase);
        ArrayPool<char>.Shared.Return(characters);
        return found;
    }
}
