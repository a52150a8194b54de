// `estat check`: would the server run here, with these options?
using System.Text.Json;
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Base.Storage;
using Estat.Cli.Frame;
using Estat.Cli.Run;
using Estat.Requests.Options;

namespace Estat.Cli.Check;

/// <summary>Reads options as the server does, tries what they name, and changes nothing but for a probe object and probe files that it
/// removes.</summary>
internal static class CheckVerb
{
    internal static Command Create()
    {
        var json = new Option<bool>("--json") { Description = "Print the findings as one JSON object" };
        var command = new Command(
            "check",
            "Reads the options as the server does, and checks bucket, disk, clock, port and limits. Each finding says how to fix it") { json };
        IReadOnlyList<Option> options = ServerOptions.Create();
        foreach (Option option in options)
        {
            command.Options.Add(option);
        }

        return command.Does(async (parsed, shell) =>
        {
            EstatOptions bound = ServerOptions.Bind(parsed, options);
            var findings = new List<Finding>();
            await foreach (Finding finding in FindAsync(bound, shell).ConfigureAwait(false))
            {
                findings.Add(finding);
                if (!parsed.GetValue(json))
                {
                    Print(shell, finding);
                }
            }

            int bad = findings.Count(finding => finding.Verdict == Verdict.Bad);
            int warnings = findings.Count(finding => finding.Verdict == Verdict.Warning);
            if (parsed.GetValue(json))
            {
                shell.Say(JsonSerializer.Serialize(new CheckReport(bad == 0, findings), CheckJson.Default.CheckReport));
            }
            else
            {
                shell.Say(bad == 0 ? $"Ready to run{(warnings == 0 ? "" : $"; {Words.Count(warnings, "warning")}")}."
                    : $"{Words.Count(bad, "fault")} to mend{(warnings == 0 ? "" : $", {Words.Count(warnings, "warning")}")}.");
            }

            return bad == 0 ? ExitCode.Done : ExitCode.Failed;
        });
    }

    private static async IAsyncEnumerable<Finding> FindAsync(EstatOptions options, Shell shell)
    {
        yield return Finding.Good("options", Summary(options));
        await foreach (Finding finding in StorageCheck.FindAsync(options, shell.Time, shell.Asked).ConfigureAwait(false))
        {
            yield return finding;
        }

        shell.Asked.ThrowIfCancellationRequested();
        foreach (Finding finding in DiskCheck.Find("spool", "SPOOL_DIR", options.Collect.SpoolDir, options, isSpool: true)
            .Concat(DiskCheck.Find("dlq", "DLQ_DIR", options.Collect.DlqDir, options, isSpool: false)))
        {
            yield return finding;
        }

        if (options.Serve.Contains("requests") && options.Requests.Store == StoreKind.DynamoDb)
        {
            yield return await RequestsCheck.FindAsync(options, shell.Asked).ConfigureAwait(false);
        }

        foreach (Finding finding in AccessCheck.Find(options, shell.Time))
        {
            yield return finding;
        }

        yield return await PortCheck.FindAsync(options, shell.Asked).ConfigureAwait(false);
        foreach (Finding finding in MachineCheck.Find(options))
        {
            yield return finding;
        }
    }

    private static string Summary(EstatOptions options)
    {
        StorageOptions storage = options.Collect.Storage;
        string place = storage.RawBucket is null ? $"the folder {storage.StorageDir}"
            : $"bucket {storage.RawBucket} ({storage.S3Endpoint?.ToString() ?? storage.AwsRegion})";
        return $"HTTP_ADDR={options.Http.HttpAddr}, objects to {place} below {storage.RawPrefix}/, "
            + $"at most {GoDuration.Format(options.Collect.FlushInterval)} after they arrive";
    }

    private static void Print(Shell shell, Finding finding)
    {
        string mark = finding.Verdict switch { Verdict.Good => "✓", Verdict.Warning => "!", _ => "✗" };
        bool colored = shell.OutIsTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        string color = finding.Verdict switch { Verdict.Good => "\e[32m", Verdict.Warning => "\e[33m", _ => "\e[31m" };
        shell.Say($"{(colored ? $"{color}{mark}\e[0m" : mark)} {finding.Check,-12} {Shell.Printable(finding.Text.ReplaceLineEndings(" "))}");
        if (finding.Fix is { } fix)
        {
            shell.Say($"               → {Shell.Printable(fix.ReplaceLineEndings(" "))}");
        }
    }
}
