// Which objects a verb reads: where they lie, which keys, which time. The same for verify, replay and query.
using Estat.Base.Options;
using Estat.Base.Storage;
using Estat.Cli.Frame;
using Estat.Cli.Run;
using Estat.Lake.Lines;
using Estat.Lake.Reading;

namespace Estat.Cli.Lake;

/// <summary>Without <c>--from</c> the place is the server's own: RAW_BUCKET, S3_ENDPOINT, AWS_REGION, STORAGE_DIR from the environment or
/// appsettings.json.</summary>
internal sealed class LakeOptions
{
    private readonly Option<string?> _from = new("--from") { Description = $"Where the objects are: {LakePlace.Takes}. Without it as for the server: "
        + "RAW_BUCKET, S3_ENDPOINT, STORAGE_DIR", HelpName = "PLACE" };
    private readonly Option<string?> _prefix = new(
        "--prefix") { Description = "Only keys that begin with this. Without it RAW_PREFIX/", HelpName = "PREFIX" };
    private readonly Option<string?> _since = new("--since") { Description = $"Events from this time on: {TimeText.Takes}", HelpName = "TIME" };
    private readonly Option<string?> _until = new("--until") { Description = "Events before this time", HelpName = "TIME" };
    private readonly Option<string?> _lookback = new("--lookback") { Description = "How long before --since a batch may have opened: the longest "
        + "FLUSH_INTERVAL in use. Without it 1h", HelpName = "DURATION" };
    private readonly Option<string?> _afterKey = new("--after-key") { Description = "Only keys greater than this", HelpName = "KEY" };
    private readonly Option<string?> _untilKey = new("--until-key") { Description = "Only keys up to this one, included", HelpName = "KEY" };
    private readonly Option<int> _parallel = new("--parallel") { Description = "Objects at once, 1 to 64", HelpName = "N", DefaultValueFactory = _ =>
        Math.Clamp(Environment.ProcessorCount * 2, 2, 16) };

    /// <summary>Adds them to a verb.</summary>
    internal static LakeOptions AddTo(Command command)
    {
        var options = new LakeOptions();
        foreach (Option option in new Option[] { options._from, options._prefix, options._since, options._until, options._lookback,
            options._afterKey, options._untilKey, options._parallel })
        {
            command.Options.Add(option);
        }

        return options;
    }

    /// <summary>Objects at once.</summary>
    internal int Parallel(ParseResult parsed) => parsed.GetValue(_parallel) is >= 1 and <= 64 and var n ? n
        : throw CliException.Usage($"--parallel {parsed.GetValue(_parallel)}: must be 1 to 64");

    /// <summary>Whether neither place nor keys nor time were narrowed down.</summary>
    internal bool IsWhole(ParseResult parsed) =>
        new Option[] { _prefix, _since, _until, _afterKey, _untilKey }.All(option => parsed.GetResult(option) is null);

    /// <summary>The place. The caller disposes of it.</summary>
    internal LakePlace Place(ParseResult parsed)
    {
        StorageOptions storage = ServerOptions.Bind().Collect.ObjectStorage;
        return parsed.GetValue(_from) is { } from ? LakePlace.Parse(from, storage) : LakePlace.Of(storage);
    }

    /// <summary>The range.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="prefix">What is read when no prefix is given.</param>
    /// <param name="now">What durations reach back from.</param>
    internal KeyRange Range(ParseResult parsed, string prefix, DateTimeOffset now)
    {
        var range = new KeyRange
        {
            Prefix = parsed.GetValue(_prefix) is not { } given ? prefix : given + "/" == prefix ? prefix : given,
            AfterKey = parsed.GetValue(_afterKey),
            UntilKey = parsed.GetValue(_untilKey),
            Since = Time(parsed, _since, now),
            Until = Time(parsed, _until, now),
        };
        if (parsed.GetValue(_lookback) is { } text)
        {
            range = range with { Lookback = GoDuration.TryParse(text, out TimeSpan lookback) ? lookback
                : throw CliException.Usage($"--lookback {text}: must be a duration such as 2m, 24h") };
        }

        return range.Since >= range.Until ? throw CliException.Usage($"--since {range.Since:u} is not before --until {range.Until:u}") : range;
    }

    /// <summary>Which events, by what <c>--where</c> and <c>--contains</c> were given.</summary>
    internal static EventFilter Filter(string[]? where, string? contains)
    {
        try
        {
            return EventFilter.Of(where ?? [], contains);
        }
        catch (FormatException error)
        {
            throw CliException.Usage($"--where {error.Message}");
        }
    }

    /// <summary>The range as it was asked for: the same words mean the same wish, also when <c>24h</c> is another moment by now.</summary>
    internal string Words(ParseResult parsed) =>
        string.Join(' ', new[] { _prefix, _since, _until, _lookback, _afterKey, _untilKey }.Where(option => parsed.GetValue(option) is not null)
            .Select(option => $"{option.Name}={parsed.GetValue(option)}"));

    private static DateTimeOffset? Time(ParseResult parsed, Option<string?> option, DateTimeOffset now) =>
        parsed.GetValue(option) is not { } text ? null : TimeText.TryParse(text, now)
            ?? throw CliException.Usage($"{option.Name} {text}: must be {TimeText.Takes}");
}
