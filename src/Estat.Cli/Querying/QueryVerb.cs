// `estat query`: counts by time, top values and fields, straight from the objects.
using Estat.Cli.Frame;
using Estat.Cli.Lake;
using Estat.Lake.Lines;
using Estat.Lake.Querying;
using Estat.Lake.Reading;

namespace Estat.Cli.Querying;

/// <summary>Without --by, --top or --fields it counts by hour. What cannot be read is told on standard error and makes the exit code 1.</summary>
internal static class QueryVerb
{
    internal static Command Create()
    {
        var command = new Command("query", "Counts by minute, hour or day, top values of a field, fields as NDJSON: straight from the objects");
        LakeOptions lake = LakeOptions.AddTo(command);
        var by = new Option<string?>("--by") { Description = "Counts by minute, hour or day (UTC)", HelpName = "STEP" };
        by.AcceptOnlyFromAmong("minute", "hour", "day");
        var top = new Option<string?>("--top") { Description = $"The most frequent values of a field: {FieldPath.Takes}", HelpName = "FIELD" };
        var limit = new Option<int>("--limit") { Description = "How many of them; with --fields, how many events", HelpName = "N" };
        var distinct = new Option<int>("--distinct") { Description = "Distinct values that are counted exactly. Above it, counts have an error, "
            + "which is shown", HelpName = "N", DefaultValueFactory = _ => 100_000 };
        var fields = new Option<string?>("--fields") { Description = "Gives these fields of each event as NDJSON, separated by commas",
            HelpName = "FIELDS" };
        var where = new Option<string[]>("--where") { Description = $"Only events whose body is JSON and has this value: {EventFilter.TakesWhere}. "
            + "If given several times, all must match", HelpName = "PATH=VALUE" };
        var contains = new Option<string?>("--contains")
            { Description = "Only lines that contain the text, in upper or lower case", HelpName = "TEXT" };
        var json = new Option<bool>("--json") { Description = "One JSON object a row, the summary last" };
        var csv = new Option<bool>("--csv") { Description = "Rows as CSV" };
        var quiet = new Option<bool>("--quiet") { Description = "No progress" };
        foreach (Option option in new Option[] { by, top, limit, distinct, fields, where, contains, json, csv, quiet })
        {
            command.Options.Add(option);
        }

        return command.Does(async (parsed, shell) =>
        {
            using LakePlace place = lake.Place(parsed);
            FieldPath[] columns = [.. Fields(parsed.GetValue(fields))];
            FieldPath? topField = parsed.GetValue(top) is not { } text ? null : FieldPath.TryParse(text)
                ?? throw CliException.Usage($"--top {text}: must be {FieldPath.Takes}");
            if (columns.Length > 0 && (topField is not null || parsed.GetValue(by) is not null))
            {
                throw CliException.Usage("--fields gives events and not counts: leave out --by and --top");
            }

            var settings = new QuerySettings
            {
                Store = place.Store,
                Range = lake.Range(parsed, place.Prefix, shell.Time.GetUtcNow()),
                Filter = LakeOptions.Filter(parsed.GetValue(where), parsed.GetValue(contains)),
                By = parsed.GetValue(by) switch
                {
                    "minute" => TimeStep.Minute,
                    "day" => TimeStep.Day,
                    "hour" => TimeStep.Hour,
                    _ => topField is null && columns.Length == 0 ? TimeStep.Hour : null,
                },
                Top = topField,
                Fields = columns,
                Distinct = Math.Clamp(parsed.GetValue(distinct), 10, 100_000_000),
                Parallel = lake.Parallel(parsed),
            };
            var output = new QueryOutput(shell, settings, parsed.GetValue(json), parsed.GetValue(csv), parsed.GetValue(limit),
                $"{place.Store.Description}/{settings.Range.Prefix}");
            return await RunAsync(shell, settings, output, parsed.GetValue(quiet)).ConfigureAwait(false);
        });
    }

    private static async Task<int> RunAsync(Shell shell, QuerySettings settings, QueryOutput output, bool quiet)
    {
        var query = new LakeQuery(settings);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(shell.Asked);
        var progress = new Progress();
        bool ended = await shell.ProgressAsync("querying", progress, async () =>
        {
            var lake = new LakeProgress(progress);
            try
            {
                return await lake.WhileCountingAsync(settings.Store, settings.Range, () => query.RunAsync(output.OnBroken, row =>
                {
                    if (!output.OnRow(row))
                    {
                        enough.Cancel();
                    }
                }, entry => lake.OnObject(entry, Words.Count(query.Matched, "event")), enough.Token)).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (enough.IsCancellationRequested)
            {
                return false;
            }
        }, quiet || (settings.Fields.Count > 0 && shell.OutIsTerminal)).ConfigureAwait(false);
        return output.OnEnd(query, ended || !shell.Interruption.IsAsked);
    }

    private static IEnumerable<FieldPath> Fields(string? text)
    {
        foreach (string field in text?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? [])
        {
            yield return FieldPath.TryParse(field) ?? throw CliException.Usage($"--fields {field}: must be {FieldPath.Takes}");
        }
    }
}
