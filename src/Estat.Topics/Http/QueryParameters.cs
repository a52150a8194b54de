// The parameters of a query, checked.
using System.Globalization;
using Estat.Base.Options;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>Reads parameters; the first that is wrong is kept as <see cref="Fault"/>. One that is empty was not given.</summary>
internal sealed class QueryParameters
{
    private static readonly TimeSpan LastOfDay = TimeSpan.FromDays(1) - TimeSpan.FromMicroseconds(1);
    private readonly IQueryCollection _query;

    /// <param name="context">The request.</param>
    /// <param name="names">Parameters that there are.</param>
    internal QueryParameters(HttpContext context, params IReadOnlyList<string> names)
    {
        _query = context.Request.Query;
        string[] unknown = [.. _query.Keys.Where(name => !names.Contains(name, StringComparer.Ordinal))];
        Fault = unknown.Length > 0
            ? $"There is no parameter {string.Join(", ", unknown)} here. "
                + (names.Count == 0 ? "This path has none." : $"There are {string.Join(", ", names)}.")
            : _query.FirstOrDefault(parameter => parameter.Value.Count > 1).Key is { } twice ? $"{twice} must come once." : null;
    }

    /// <summary>What is wrong; null while nothing is.</summary>
    internal string? Fault { get; private set; }

    /// <summary>A text; null when it was not given.</summary>
    internal string? Text(string name)
    {
        string? text = _query[name] is [{ Length: > 0 } only] ? only : null;
        return text is not null && !IsText(text) ? Wrong<string>($"{name} must be a text without NUL, in UTF-8.") : text;
    }

    /// <summary>A whole number within bounds; null when it was not given.</summary>
    internal long? Number(string name, long least, long most)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) && number >= least && number <= most)
        {
            return number;
        }

        Fault ??= $"{name} must be a whole number from {least} to {most}.";
        return null;
    }

    /// <summary>A moment: a date alone is its begin, or, as an end, all of it.</summary>
    /// <param name="name">The parameter.</param>
    /// <param name="isEnd">Whether it is an end.</param>
    internal DateTime? Moment(string name, bool isEnd)
    {
        if (Text(name) is not { } text)
        {
            return null;
        }

        if (MomentText.TryParse(WithPlus(text)) is not { } moment)
        {
            Fault ??= $"{name} must be a time as in ISO 8601, such as 2026-01-15, 2026-01-15T10:30:00.000Z or 2026-01-15T19:30:00+09:00.";
            return null;
        }

        return moment.UtcDateTime + (isEnd && text.Length == "yyyy-MM-dd".Length ? LastOfDay : TimeSpan.Zero);
    }

    /// <summary>One of some texts.</summary>
    /// <param name="name">The parameter.</param>
    /// <param name="choices">What it may be; the first is what it is when it was not given.</param>
    /// <returns>The text's position.</returns>
    internal int Choice(string name, params IReadOnlyList<string> choices)
    {
        string text = Text(name) ?? choices[0];
        for (int i = 0; i < choices.Count; i++)
        {
            if (choices[i] == text)
            {
                return i;
            }
        }

        Fault ??= $"{name} must be {string.Join(" or ", choices.Where(choice => choice.Length > 0))}.";
        return 0;
    }

    /// <summary>Keeps a fault that is found elsewhere; null is none.</summary>
    internal void Refuse(string? fault) => Fault ??= fault;

    // A plus in a URL is a space, unless it is written as %2B.
    private static string WithPlus(string text) =>
        text.Length > 16 && text[^6] == ' ' && text[^3] == ':' ? $"{text.AsSpan(0, text.Length - 6)}+{text.AsSpan(text.Length - 5)}" : text;

    private static bool IsText(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (text[i] == '\0' || (char.IsSurrogate(text[i]) && !(i + 1 < text.Length && char.IsSurrogatePair(text[i], text[++i]))))
            {
                return false;
            }
        }

        return true;
    }

    private T? Wrong<T>(string fault)
        where T : class
    {
        Fault ??= fault;
        return null;
    }
}
