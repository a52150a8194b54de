// `estat dlq export FOLDER`.
using System.Globalization;
using System.Security.Cryptography;
using Estat.Base.Files;
using Estat.Base.Storage;
using Estat.Cli.Frame;
using Estat.Lake.Names;

namespace Estat.Cli.Dlq;

/// <summary>
/// Copies files, leaves the DLQ as it is. A file is written beside its name, checked, flushed and renamed, and only then in the manifest; so whatever
/// is in the manifest lies there whole. The same command again checks what is there by its hash and goes on.
/// </summary>
internal static class DlqExport
{
    private const int InFlight = 4;

    internal static Command Create()
    {
        var folder = new Argument<string>("folder") { Description = "Folder to copy to; it is created if it does not exist" };
        (Argument<string[]> names, Option<bool> all) = DlqOptions.Choice("export");
        var json = new Option<bool>("--json") { Description = "Print the result as one JSON object" };
        var command = new Command(
            "export", "Copies files with a manifest into a folder. The same command again checks them and continues") { folder, names, all, json };
        var dlq = new DlqOptions(command);
        return command.Does(async (parsed, shell) =>
        {
            IReadOnlyList<string> chosen = DlqOptions.Chosen(parsed, names, all);
            using IDlqSource source = dlq.Open(parsed, shell);
            string target = Path.GetFullPath(parsed.GetRequiredValue(folder));
            AtomicFile.CreateDirectory(target);
            using ExportManifest manifest = OpenManifest(target);
            var run = new Run(source, manifest, target, new Progress());
            bool whole = await shell.ProgressAsync("exporting", run.Progress, () => run.AllAsync(chosen, shell)).ConfigureAwait(false);
            shell.Say(parsed.GetValue(json) ? run.ToJson() : $"{run} in {target}");
            foreach (string fault in run.Faults)
            {
                shell.Note(Shell.Printable(fault));
            }

            if (!whole)
            {
                shell.Note($"estat: interrupted; to continue: {OwnCommand.Line()}");
                return ExitCode.Interrupted;
            }

            return run.Unsound == 0 ? ExitCode.Done : ExitCode.Failed;
        });
    }

    private static ExportManifest OpenManifest(string folder)
    {
        try
        {
            return ExportManifest.Open(folder);
        }
        catch (IOException error) when (error is not DirectoryNotFoundException)
        {
            throw new CliException($"{folder}: {error.Message.TrimEnd('.')}. Is another estat exporting there?");
        }
    }

    private sealed class Run(IDlqSource source, ExportManifest manifest, string folder, Progress progress)
    {
        private const int FaultsShown = 10;
        private readonly Lock _gate = new();
        private readonly List<string> _faults = [];
        private long _copied;
        private long _kept;
        private long _gone;
        private long _events;
        private long _bytes;
        private long _unsound;

        internal Progress Progress => progress;

        internal long Unsound => _unsound;

        internal IReadOnlyList<string> Faults => _faults;

        internal async Task<bool> AllAsync(IReadOnlyList<string> chosen, Shell shell)
        {
            DlqPage first = await source.PageAsync(1, null, shell.Asked).ConfigureAwait(false);
            progress.Set(0, chosen.Count > 0 ? chosen.Count : first.Total);
            try
            {
                await Parallel.ForEachAsync(
                    source.ChosenAsync(chosen, shell.Asked),
                    new ParallelOptions { MaxDegreeOfParallelism = InFlight, CancellationToken = shell.Asked },
                    async (file, _) => await OneAsync(file, shell.Asked).ConfigureAwait(false)).ConfigureAwait(false);
                return true;
            }
            catch (OperationCanceledException) when (shell.Interruption.IsAsked)
            {
                return false;
            }
        }

        private async Task OneAsync(DlqFile file, CancellationToken asked)
        {
            ExportedFile? exported = Kept(file);
            bool isNew = exported is null;
            exported ??= await CopyAsync(file, asked).ConfigureAwait(false);
            lock (_gate)
            {
                progress.Add(1);
                if (exported is null)
                {
                    _gone++;
                    return;
                }

                _copied += isNew ? 1 : 0;
                _kept += isNew ? 0 : 1;
                _events += exported.Events ?? 0;
                _bytes += exported.Bytes;
                if (exported.Fault is { } fault)
                {
                    _unsound++;
                    if (_faults.Count < FaultsShown)
                    {
                        _faults.Add($"{file.Name}: {fault}; it was copied as it is");
                    }
                }

                progress.Detail = $"{Words.Count(_copied + _kept, "file")}, {Words.Count(_events, "event")}, {Words.Bytes(_bytes)}";
            }
        }

        private ExportedFile? Kept(DlqFile file)
        {
            if (manifest.Find(file.Name) is not { } entry || (file.Bytes > 0 && entry.Bytes != file.Bytes))
            {
                return null;
            }

            string path = Path.Combine(folder, entry.File);
            if (!File.Exists(path) || new FileInfo(path).Length != entry.Bytes)
            {
                return null;
            }

            using FileStream content = File.OpenRead(path);
            return Convert.ToHexStringLower(SHA256.HashData(content)) == entry.Sha256 ? entry : null;
        }

        // An interruption gives up what has no name yet; a second start copies it anew.
        private async Task<ExportedFile?> CopyAsync(DlqFile file, CancellationToken asked)
        {
            string name = Path.GetFileName(file.Name) is { Length: > 0 } safe && safe == file.Name && safe[0] != '.'
                ? safe
                : throw new CliException($"{file.Name}: is not a valid file name; nothing was written");
            if (!name.EndsWith(ObjectKeys.Extension, StringComparison.Ordinal))
            {
                name += ObjectKeys.Extension;
            }

            string path = Path.Combine(folder, name);
            string temporary = Path.Combine(folder, $".tmp-{name}");
            string sha256;
            (long? events, string? fault) content;
            long bytes;
            try
            {
                using var written = new FileStream(temporary, FileMode.Create, FileAccess.ReadWrite, FileShare.None, 64 * 1024);
                if (!await source.CopyAsync(file.Name, written, asked).ConfigureAwait(false))
                {
                    return null;
                }

                Libc.SyncData(written);
                bytes = written.Length;
                written.Position = 0;
                sha256 = Convert.ToHexStringLower(await SHA256.HashDataAsync(written, asked).ConfigureAwait(false));
                written.Position = 0;
                content = Examine(file, written);
                File.Move(temporary, path, overwrite: true);
            }
            finally
            {
                File.Delete(temporary);
            }

            Libc.SyncDirectory(folder);
            var entry = new ExportedFile
            {
                Name = file.Name,
                File = name,
                Bytes = bytes,
                Sha256 = sha256,
                Events = content.events,
                Fault = content.fault,
                Key = file.Key,
                Created = file.Created,
                Reason = file.Reason,
            };
            manifest.Add(entry);
            return entry;
        }

        // Lines and hash of what is inside, against what the batch was sealed with.
        private static (long? Events, string? Fault) Examine(DlqFile file, Stream content)
        {
            try
            {
                Seal seal = ContentCheck.Validate(content, afterStep: null);
                return (file.Sha256 is { } sha256 && sha256 != seal.Sha256) || (file.Key is not null && file.Events != seal.Events)
                    ? (seal.Events, $"it has {seal.Events} lines, but its seal says {file.Events}")
                    : (seal.Events, null);
            }
            catch (InvalidDataException error)
            {
                return (null, error.Message.TrimEnd('.'));
            }
        }

        internal string ToJson() => string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"files":{{_copied + _kept}},"copied":{{_copied}},"already_there":{{_kept}},"gone":{{_gone}},"""
            + $$"""
            "events":{{_events}},"bytes":{{_bytes}},"unsound":{{_unsound}}}
            """);

        public override string ToString() =>
            $"{Words.Count(_copied + _kept, "file")} with {Words.Count(_events, "event")} ({Words.Bytes(_bytes)})"
            + (_kept > 0 ? $", {Words.Count(_kept)} of them were there already" : "")
            + (_gone > 0 ? $"; {Words.Count(_gone)} had left the DLQ meanwhile" : "");
    }
}
