// `estat replay`: objects back through ingest, or to another bucket or folder.
using Estat.Base.Options;
using Estat.Cli.Frame;
using Estat.Cli.Lake;
using Estat.Lake.Lines;
using Estat.Lake.Reading;
using Estat.Lake.Replaying;

namespace Estat.Cli.Replaying;

/// <summary>An http URL is a server: events. Anything else is a place: objects. Both go on from a checkpoint after whatever ended them.</summary>
internal static class ReplayVerb
{
    internal static Command Create()
    {
        var command = new Command(
            "replay", "Sends a range of objects, DLQ files or the quarantine through ingest again, or copies them to another bucket or folder");
        var options = new ReplayOptions(command);
        return command.Does(async (parsed, shell) =>
        {
            using ReplaySource source = options.Source(parsed, shell.Time.GetUtcNow());
            string to = options.To(parsed);
            bool isServer = to.StartsWith("http://", StringComparison.OrdinalIgnoreCase)
                || to.StartsWith("https://", StringComparison.OrdinalIgnoreCase);
            using var run = new ReplayRun(shell, options, parsed, source, to);
            return isServer ? await run.ThroughIngestAsync().ConfigureAwait(false) : await run.ToPlaceAsync().ConfigureAwait(false);
        });
    }
}

/// <summary>The verb's options.</summary>
internal sealed class ReplayOptions
{
    private readonly LakeOptions _lake;
    private readonly Option<string?> _to = new("--to") { Description = $"Where to: http://host:8080 (a server, which takes events), or "
        + $"{LakePlace.Takes} (objects, byte by byte, under the same keys)", HelpName = "TARGET", Required = true };
    private readonly Option<string?> _dlq = new("--dlq")
        { Description = "Reads a folder of the DLQ of a node that is not running", HelpName = "FOLDER" };
    private readonly Option<bool> _quarantine = new(
        "--quarantine") { Description = "Reads the quarantine (DLQ_PREFIX) of that place; of a broken object, the lines before the break" };
    private readonly Option<string> _as = new("--as") { Description = "To a server: body sends each body (and its id) again; ts, ip, user_agent and "
        + "cookie become the replay's. line sends the whole line as the body, which loses nothing", HelpName = "body|line",
        DefaultValueFactory = _ => "body" };
    private readonly Option<string[]> _where = new("--where") { Description = "To a server: only events whose body is JSON and has this value: "
        + $"{EventFilter.TakesWhere}. If given several times, all must match", HelpName = "PATH=VALUE" };
    private readonly Option<string?> _contains = new(
        "--contains") { Description = "To a server: only lines that contain the text, in upper or lower case", HelpName = "TEXT" };
    private readonly Option<string?> _rate = new(
        "--rate") { Description = "Most to send a second: 5000 (events) or 10MB (bytes)", HelpName = "RATE" };
    private readonly Option<string?> _checkpoint = new("--checkpoint") { Description = "Checkpoint file. Without it: a file in the working "
        + "directory, named after what is replayed. It is removed at the end", HelpName = "FILE" };
    private readonly Option<bool> _intoSame = new(
        "--into-same") { Description = "Allows a server that writes to the place that the objects come from. Objects opened after the start are not "
            + "read" };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Reads and counts, sends nothing" };
    private readonly Option<int> _batch = new(
        "--batch") { Description = "Events a request at most, 1 to 10000", HelpName = "N", DefaultValueFactory = _ => 1000 };
    private readonly Option<int> _connections = new(
        "--connections") { Description = "Requests at once, 1 to 64", HelpName = "N", DefaultValueFactory = _ => 4 };
    private readonly Option<string?> _ack = new("--ack") { Description = "Ack level to ask the server for", HelpName = "LEVEL" };
    private readonly Option<string?> _giveUp = new(
        "--give-up") { Description = "How long to try one request. Without it 10m", HelpName = "DURATION" };
    private readonly Option<string?> _key = new("--key") { Description = "A write key. Better from the environment, ESTAT_KEY", HelpName = "KEY" };
    private readonly Option<bool> _json = new("--json") { Description = "Print failures as one JSON object a line, the summary last" };
    private readonly Option<bool> _quiet = new("--quiet") { Description = "No progress" };

    internal ReplayOptions(Command command)
    {
        _lake = LakeOptions.AddTo(command);
        _as.AcceptOnlyFromAmong("body", "line");
        foreach (Option option in new Option[] { _to, _dlq, _quarantine, _as, _where, _contains, _rate, _checkpoint, _intoSame, _dryRun, _batch,
            _connections, _ack, _giveUp, _key, _json, _quiet })
        {
            command.Options.Add(option);
        }
    }

    internal string To(ParseResult parsed) => parsed.GetValue(_to)!;

    internal bool IntoSame(ParseResult parsed) => parsed.GetValue(_intoSame);

    internal bool DryRun(ParseResult parsed) => parsed.GetValue(_dryRun);

    internal bool Json(ParseResult parsed) => parsed.GetValue(_json);

    internal bool Quiet(ParseResult parsed) => parsed.GetValue(_quiet);

    internal string? Ack(ParseResult parsed) => parsed.GetValue(_ack);

    internal string? Key(ParseResult parsed) => parsed.GetValue(_key) ?? NodeOptions.Environment("ESTAT_KEY");

    internal string? Checkpoint(ParseResult parsed) => parsed.GetValue(_checkpoint);

    internal int Parallel(ParseResult parsed) => _lake.Parallel(parsed);

    internal int Connections(ParseResult parsed) => Between(parsed, _connections, 64);

    internal int Batch(ParseResult parsed) => Between(parsed, _batch, 10_000);

    internal ReplayForm Form(ParseResult parsed) => parsed.GetValue(_as) == "line" ? ReplayForm.Line : ReplayForm.Body;

    internal TimeSpan GiveUp(ParseResult parsed) => parsed.GetValue(_giveUp) is not { } text ? TimeSpan.FromMinutes(10)
        : GoDuration.TryParse(text, out TimeSpan time) ? time
        : throw CliException.Usage($"--give-up {text}: must be a duration such as 30s, 10m");

    internal ReplaySource Source(ParseResult parsed, DateTimeOffset now)
    {
        string? dlq = parsed.GetValue(_dlq);
        bool quarantine = parsed.GetValue(_quarantine);
        return dlq is not null && quarantine
            ? throw CliException.Usage("give --dlq or --quarantine, not both")
            : ReplaySource.Take(parsed, _lake, dlq, quarantine, now);
    }

    internal EventFilter Filter(ParseResult parsed) => LakeOptions.Filter(parsed.GetValue(_where), parsed.GetValue(_contains));

    /// <summary>All that decides what a replay does, so that a checkpoint of another is refused.</summary>
    internal string Words(ParseResult parsed) =>
        $"{_lake.Words(parsed)} as {parsed.GetValue(_as)} where {string.Join('&', parsed.GetValue(_where) ?? [])} contains "
            + $"{parsed.GetValue(_contains)} batch {parsed.GetValue(_batch)}";

    /// <summary>The same for copies.</summary>
    internal string RangeWords(ParseResult parsed) => _lake.Words(parsed);

    /// <summary>Events, or bytes, a second; null: as fast as it goes.</summary>
    internal (double? Events, double? Bytes) Rate(ParseResult parsed)
    {
        if (parsed.GetValue(_rate) is not { } text)
        {
            return (null, null);
        }

        (string Unit, double Factor)[] units = [("GB", 1 << 30), ("MB", 1 << 20), ("KB", 1 << 10), ("B", 1)];
        (string unit, double factor) = units.FirstOrDefault(unit => text.EndsWith(unit.Unit, StringComparison.OrdinalIgnoreCase));
        string digits = unit is null ? text : text[..^unit.Length];
        return double.TryParse(digits, System.Globalization.NumberStyles.AllowDecimalPoint, System.Globalization.CultureInfo.InvariantCulture,
            out double number) && number > 0
            ? unit is null ? (number, null) : (null, number * factor)
            : throw CliException.Usage($"--rate {text}: must be events a second such as 5000, or bytes such as 512KB, 10MB");
    }

    private static int Between(ParseResult parsed, Option<int> option, int most) =>
        parsed.GetValue(option) is var n && n >= 1 && n <= most ? n : throw CliException.Usage($"{option.Name} {n}: must be 1 to {most}");
}
