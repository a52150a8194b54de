// The parameters of an administrative request, checked.
using System.Globalization;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Administration;

/// <summary>Reads parameters; the first that is wrong is kept as <see cref="Fault"/>.</summary>
internal sealed class AskedQuery(AdminRequest request)
{
    private readonly Dictionary<string, StringValues> _values = QueryHelpers.ParseQuery(request.Query);

    /// <summary>What to answer when a parameter is wrong; null when none is.</summary>
    internal AdminReply? Fault { get; private set; }

    /// <summary>A text; null when it was not given.</summary>
    internal string? Text(string name) => _values.TryGetValue(name, out StringValues value) && value.Count > 0 ? value[^1] : null;

    /// <summary>A text that has to be given.</summary>
    internal string Needed(string name, string meaning)
    {
        if (Text(name) is { Length: > 0 } text)
        {
            return text;
        }

        Fault ??= AdminReply.Error(StatusCodes.Status400BadRequest, $"?{name}= is missing: {meaning}.");
        return "";
    }

    /// <summary>A whole number within bounds.</summary>
    internal int Number(string name, int least, int most, int without)
    {
        if (Text(name) is not { } text)
        {
            return without;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most)
        {
            return number;
        }

        Fault ??= AdminReply.Error(StatusCodes.Status400BadRequest, $"?{name}= must be a whole number from {least} to {most}.");
        return without;
    }

    /// <summary>A count that has to be given.</summary>
    internal long Count(string name, string meaning)
    {
        string text = Needed(name, meaning);
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long count))
        {
            return count;
        }

        Fault ??= AdminReply.Error(StatusCodes.Status400BadRequest, $"?{name}= must be a whole number: {meaning}.");
        return 0;
    }
}
