// `estat campaigns export`.
using Estat.Base.Files;
using Estat.Cli.Frame;

namespace Estat.Cli.Campaigns;

/// <summary>
/// The whole answer is on this machine before any of it is shown: a file gets its name, or standard output its first byte, only when nothing is
/// missing.
/// </summary>
internal static class CampaignsExport
{
    private const int BlockSize = 64 * 1024;

    internal static Command Create()
    {
        Argument<string> id = CampaignsVerb.Id();
        var format = new Option<string>("--format") { Description = "csv or jsonl", DefaultValueFactory = _ => "csv" };
        format.AcceptOnlyFromAmong("csv", "jsonl");
        var status = new Option<string?>("--status") { Description = "Only requests in this state, such as SUCCEEDED", HelpName = "STATE" };
        var output = new Option<string?>("--output", "-o") { Description = "File to write; without it standard output", HelpName = "FILE" };
        var command = new Command("export", "Copies the requests of a campaign with their users, as CSV or JSON lines")
        {
            id, format, status, output,
        };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            string campaign = parsed.GetRequiredValue(id);
            using var desk = CampaignDesk.Of(node, parsed, shell);
            string path = AdminClient.Address(
                CampaignDesk.PathOf(campaign, "/export"), ("format", parsed.GetValue(format)), ("status", parsed.GetValue(status)));
            string? target = parsed.GetValue(output) is { } file ? Path.GetFullPath(file) : null;
            string beside = target is null ? Path.GetTempFileName() : $"{target}.tmp-{Environment.ProcessId}";
            try
            {
                using (var copy = new FileStream(beside, FileMode.Create, FileAccess.ReadWrite, FileShare.None, BlockSize))
                {
                    await desk.CopyAsync(path, campaign, copy, shell.Asked).ConfigureAwait(false);
                    Libc.SyncData(copy);
                    if (target is null)
                    {
                        copy.Position = 0;
                        await PrintAsync(copy, shell).ConfigureAwait(false);
                    }
                }

                if (target is not null)
                {
                    File.Move(beside, target, overwrite: true);
                    Libc.SyncDirectory(Path.GetDirectoryName(target)!);
                    shell.Note($"{Words.Bytes(new FileInfo(target).Length)} in {target}");
                }
            }
            finally
            {
                File.Delete(beside);
            }

            return ExitCode.Done;
        });
    }

    // On a terminal line by line: a user's name may hold what a terminal obeys.
    private static async Task PrintAsync(Stream content, Shell shell)
    {
        using var text = new StreamReader(content, leaveOpen: true);
        if (shell.OutIsTerminal)
        {
            while (await text.ReadLineAsync(shell.Asked).ConfigureAwait(false) is { } line)
            {
                shell.Say(Shell.Printable(line));
            }

            return;
        }

        char[] block = new char[BlockSize];
        while (await text.ReadBlockAsync(block, shell.Asked).ConfigureAwait(false) is > 0 and var length)
        {
            shell.Out.Write(block, 0, length);
        }
    }
}
