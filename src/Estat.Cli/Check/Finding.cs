// What a check found.
using System.Text.Json.Serialization;

namespace Estat.Cli.Check;

/// <summary>How bad it is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Verdict>))]
internal enum Verdict
{
    /// <summary>As it should be.</summary>
    Good,

    /// <summary>The server starts and works, but somebody should know.</summary>
    Warning,

    /// <summary>The server does not start, or events will not arrive.</summary>
    Bad,
}

/// <summary>One line of the result.</summary>
/// <param name="Check">What was looked at: <c>bucket</c>.</param>
/// <param name="Verdict">How it is.</param>
/// <param name="Text">What was found.</param>
/// <param name="Fix">What to do; null where there is nothing to do.</param>
internal sealed record Finding(string Check, Verdict Verdict, string Text, string? Fix = null)
{
    internal static Finding Good(string check, string text) => new(check, Verdict.Good, text);

    internal static Finding Warning(string check, string text, string fix) => new(check, Verdict.Warning, text, fix);

    internal static Finding Bad(string check, string text, string fix) => new(check, Verdict.Bad, text, fix);
}

/// <summary>All of them.</summary>
/// <param name="Ok">Whether nothing is bad.</param>
/// <param name="Findings">In the order of the checks.</param>
internal sealed record CheckReport(bool Ok, IReadOnlyList<Finding> Findings);

/// <summary>Generated serialization: no reflection at start-up.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(CheckReport))]
internal sealed partial class CheckJson : JsonSerializerContext;
