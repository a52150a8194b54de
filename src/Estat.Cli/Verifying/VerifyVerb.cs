// `estat verify`: reads a prefix and tells everything that is wrong with it.
using Estat.Base.Storage;
using Estat.Cli.Frame;
using Estat.Cli.Lake;
using Estat.Lake.Reading;
using Estat.Lake.Verifying;

namespace Estat.Cli.Verifying;

/// <summary>Findings one a line, then a summary. 1 when anything was found, 130 when interrupted, with the line that goes on.</summary>
internal static class VerifyVerb
{
    private const long Megabyte = 1 << 20;

    internal static Command Create()
    {
        var command = new Command("verify", "Reads objects whole: gzip, lines, counts and hashes against their seals, keys, duplicates");
        LakeOptions lake = LakeOptions.AddTo(command);
        var uniqueBy = new Option<string?>("--unique-by") { Description = $"Also finds events that are there more than once, by {UniqueBy.Takes}",
            HelpName = "WHAT" };
        var memory = new Option<int>("--memory-mb") { Description = "Memory for hashes of events; above it they go to disk", HelpName = "MB",
            DefaultValueFactory = _ => 256 };
        var checkpoint = new Option<string?>("--checkpoint")
            { Description = "Checkpoint folder: the same command continues from there", HelpName = "FOLDER" };
        var findings = new Option<long>("--findings") { Description = "How many findings are listed; all are counted", HelpName = "N",
            DefaultValueFactory = _ => 1000 };
        var json = new Option<bool>("--json") { Description = "One JSON object a finding, the summary last" };
        var quiet = new Option<bool>("--quiet") { Description = "No progress" };
        foreach (Option option in new Option[] { uniqueBy, memory, checkpoint, findings, json, quiet })
        {
            command.Options.Add(option);
        }

        return command.Does(async (parsed, shell) =>
        {
            using LakePlace place = lake.Place(parsed);
            using var folder = WorkFolder.Take(parsed.GetValue(checkpoint), checkpoint.Name);
            KeyRange range = lake.Range(parsed, place.Prefix, shell.Time.GetUtcNow());
            var settings = new VerifySettings
            {
                Store = place.Store,
                Range = range,
                What = $"{place.Store.Description}/{range.Prefix} {lake.Words(parsed)} unique by {parsed.GetValue(uniqueBy) ?? "nothing"}",
                UniqueBy = parsed.GetValue(uniqueBy) is not { } by ? null : UniqueBy.TryParse(by)
                    ?? throw CliException.Usage($"--unique-by {by}: must be {UniqueBy.Takes}"),
                Parallel = lake.Parallel(parsed),
                HashMemory = Math.Clamp(parsed.GetValue(memory), 1, 1 << 20) * Megabyte,
                Folder = folder.Path,
                KeepsCheckpoint = !folder.IsTemporary,
            };
            var report = new VerifyReport(shell, place, settings, parsed.GetValue(json), parsed.GetValue(findings));
            using var verification = new Verification(settings, shell.Time);
            report.OnStart(verification);
            bool ended;
            var progress = new Progress();
            try
            {
                ended = await shell.ProgressAsync("verifying", progress, () =>
                {
                    var objects = new LakeProgress(progress);
                    return objects.WhileCountingAsync(settings.Store, verification.Range, () => verification.RunAsync(
                        report.OnFinding,
                        entry => objects.OnObject(entry, Words.Count(verification.State.Found.Values.Sum(), "finding")), shell.Asked));
                }, parsed.GetValue(quiet)).ConfigureAwait(false);
            }
            catch (StorageException)
            {
                report.OnBroken(verification);
                throw;
            }

            if (ended && lake.IsWhole(parsed))
            {
                await report.ListQuarantineAsync(shell.Asked).ConfigureAwait(false);
            }

            return report.OnEnd(verification, ended);
        });
    }
}
