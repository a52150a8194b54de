// A key taken apart: <prefix>/dt=YYYY-MM-DD/hr=HH/<unix>_<instance>_<counter>[suffixes].jsonl.gz.
using System.Globalization;
using System.Text.RegularExpressions;
using Estat.Lake.Names;

namespace Estat.Lake.Reading;

/// <summary>What a key says of its batch.</summary>
/// <param name="Opened">When the batch opened.</param>
/// <param name="Batch">What names the batch wherever it lies: second, instance and counter.</param>
/// <param name="Suffix"><c>_rest</c> and the like; "" for the batch's own key.</param>
internal sealed partial record BatchName(DateTimeOffset Opened, string Batch, string Suffix)
{
    /// <summary>Whether the key was made because another object lay under the batch's own.</summary>
    internal bool IsConflict => ConflictSuffix().IsMatch(Suffix);

    /// <summary>Null for a key that no node made: another form, or a folder that does not fit the name.</summary>
    internal static BatchName? TryParse(string key)
    {
        Match match = Form().Match(key);
        if (!match.Success || ObjectKeys.OpenedOf(match.Groups["name"].Value) is not { } opened)
        {
            return null;
        }

        string folder = string.Create(CultureInfo.InvariantCulture, $"dt={opened.UtcDateTime:yyyy-MM-dd}/hr={opened.UtcDateTime:HH}/");
        return match.Groups["folder"].Value == folder ? new BatchName(opened, match.Groups["batch"].Value, match.Groups["suffix"].Value) : null;
    }

    [GeneratedRegex(@"(^|/)(?<folder>dt=\d{4}-\d\d-\d\d/hr=\d\d/)(?<name>(?<batch>\d{1,12}_[0-9A-Za-z-]+_\d+)(?<suffix>(_rest|_[0-9a-f]{16})*))\.jsonl\.gz$", RegexOptions.CultureInvariant)]
    private static partial Regex Form();

    [GeneratedRegex("_[0-9a-f]{16}", RegexOptions.CultureInvariant)]
    private static partial Regex ConflictSuffix();
}
