// `estat requests backup FILE`, `estat requests restore FILE`: copies of the database, on the node's own machine.
using Estat.Base.Files;
using Estat.Cli.Frame;
using Estat.Requests.Sqlite;
using Estat.Requests.Storing;

namespace Estat.Cli.Requests;

/// <summary>
/// A backup is taken while the node runs. A restore needs an empty folder, and the operator's word before anything is accepted again.
/// </summary>
internal static class RequestsBackup
{
    /// <summary><c>backup</c>.</summary>
    internal static Command Save()
    {
        var file = new Argument<string>("FILE") { Description = "Where the copy goes; a file that is not there yet" };
        Option<string> folder = Folder();
        return new Command("backup", "Copies the requests' database to a file, while the node runs") { file, folder }.Does((parsed, shell) =>
            Run(() =>
            {
                string path = parsed.GetRequiredValue(file);
                SqliteBackup.Save(parsed.GetRequiredValue(folder), path);
                shell.Note($"{path} holds the requests as of now ({Words.Bytes(new FileInfo(path).Length)}). "
                    + "Keep it as safe as the users' names in it.");
            }));
    }

    /// <summary><c>restore</c>.</summary>
    internal static Command Restore()
    {
        var file = new Argument<string?>("FILE") { Description = "The copy", Arity = ArgumentArity.ZeroOrOne };
        Option<string> folder = Folder();
        var resume = new Option<bool>("--resume") { Description = "Lets a restored database accept requests again; the node must not run" };
        return new Command("restore", "Brings a backup into an empty folder, which accepts nothing before --resume") { file, folder, resume }.Does(
            (parsed, shell) => Run(() =>
            {
                string where = parsed.GetRequiredValue(folder);
                if (parsed.GetValue(resume))
                {
                    SqliteBackup.Resume(where);
                    shell.Note($"{where} accepts requests again once the node is started.");
                    return;
                }

                SqliteBackup.Restore(
                    parsed.GetValue(file) ?? throw CliException.Usage("Name the backup: estat requests restore FILE --dir REQUESTS_DIR"), where);
                shell.Note($"{where} holds the backup. Start the node and look: it decides, and accepts nothing. What came after the backup is lost. "
                    + $"Then stop it, run `estat requests restore --resume --dir {where}`, and start it again.");
            }));
    }

    private static Option<string> Folder() => new("--dir")
    {
        Description = "The node's REQUESTS_DIR", HelpName = "FOLDER", DefaultValueFactory = _ => "./var/requests",
    };

    private static Task<int> Run(Action work)
    {
        try
        {
            work();
            return Task.FromResult(ExitCode.Done);
        }
        catch (Exception error) when (error is StoreException or FolderOwnedException or IOException or UnauthorizedAccessException)
        {
            throw new CliException(error.Message.TrimEnd('.'));
        }
    }
}
