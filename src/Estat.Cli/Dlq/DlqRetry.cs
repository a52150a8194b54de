// `estat dlq retry`.
using System.Globalization;
using Estat.Cli.Frame;

namespace Estat.Cli.Dlq;

/// <summary>
/// One file after another, so that each has its outcome. Stops when several in a row fail: storage is away then, and the rest would only wait for it
/// too.
/// </summary>
internal static class DlqRetry
{
    private const int FailuresInARow = 3;
    private const int Passes = 5;
    private static readonly TimeSpan BetweenPasses = TimeSpan.FromMilliseconds(300);

    internal static Command Create()
    {
        (Argument<string[]> names, Option<bool> all) = DlqOptions.Choice("retry");
        var json = new Option<bool>("--json") { Description = "Print the result as one JSON object" };
        var command = new Command("retry", "Tries to store files now instead of when they are due") { names, all, json };
        var dlq = new DlqOptions(command);
        return command.Does(async (parsed, shell) =>
        {
            IReadOnlyList<string> chosen = DlqOptions.Chosen(parsed, names, all);
            using IDlqSource source = dlq.Open(parsed, shell, changes: true);
            var run = new Run(source, shell, new Progress());
            await shell.ProgressAsync("retrying", run.Progress, () => run.AllAsync(chosen)).ConfigureAwait(false);
            shell.Say(parsed.GetValue(json) ? run.ToJson() : run.ToString());
            if (run.LastFailure is { } failure)
            {
                shell.Note($"estat: {Shell.Printable(failure)}");
            }

            if (shell.Interruption.IsAsked)
            {
                shell.Note($"estat: interrupted; to continue: {OwnCommand.Line()}");
                return ExitCode.Interrupted;
            }

            return run.Failed + run.Busy + run.Quarantined == 0 ? ExitCode.Done : ExitCode.Failed;
        });
    }

    private sealed class Run(IDlqSource source, Shell shell, Progress progress)
    {
        private readonly List<DlqFile> _busy = [];
        private long _stored;
        private long _events;
        private int _inARow;

        internal Progress Progress => progress;

        internal long Failed { get; private set; }

        internal long Busy => _busy.Count;

        internal long Quarantined { get; private set; }

        internal string? LastFailure { get; private set; }

        // What the node is trying by itself is looked at again, and nothing else; by then it has left, or failed.
        internal async Task<bool> AllAsync(IReadOnlyList<string> names)
        {
            DlqPage first = await source.PageAsync(1, null, shell.Asked).ConfigureAwait(false);
            progress.Set(0, names.Count > 0 ? names.Count : first.Total);
            IAsyncEnumerable<DlqFile> files = names.Count > 0 ? names.Select(name => new DlqFile { Name = name }).ToAsyncEnumerable()
                : source.AllAsync(CancellationToken.None);
            for (int pass = 1; await OnceAsync(files).ConfigureAwait(false); pass++)
            {
                if (_busy.Count == 0 || pass == Passes)
                {
                    return _busy.Count == 0;
                }

                files = _busy.ToArray().ToAsyncEnumerable();
                _busy.Clear();
                await Task.Delay(BetweenPasses, shell.Time, shell.Asked).ContinueWith(_ => { }, TaskScheduler.Default).ConfigureAwait(false);
            }

            return false;
        }

        private async Task<bool> OnceAsync(IAsyncEnumerable<DlqFile> files)
        {
            await foreach (DlqFile file in files.ConfigureAwait(false))
            {
                if (shell.Interruption.IsAsked)
                {
                    return false;
                }

                // Never torn: an attempt that was begun is heard to its end.
                Count(file, await source.RetryAsync(file.Name, CancellationToken.None).ConfigureAwait(false));
                progress.Detail = $"{Words.Count(_stored, "file")} with {Words.Count(_events, "event")} "
                    + $"stored{(Failed > 0 ? $", {Failed} failed" : "")}";
                if (_inARow >= FailuresInARow)
                {
                    LastFailure = $"stopped after {FailuresInARow} failures in a row: {LastFailure}. The other files stay, and the node tries them "
                        + "when they are due";
                    return false;
                }
            }

            return true;
        }

        private void Count(DlqFile file, DlqOutcome outcome)
        {
            _inARow = outcome.Outcome == DlqOutcomes.Failed ? _inARow + 1 : 0;
            progress.Add(outcome.Outcome == DlqOutcomes.Busy ? 0 : 1);
            switch (outcome.Outcome)
            {
                case DlqOutcomes.Stored:
                    _stored++;
                    _events += file.Events;
                    break;
                case DlqOutcomes.Quarantined:
                    Quarantined++;
                    shell.Note($"{Shell.Printable(file.Name)}: it cannot be read, so it went to the quarantine");
                    break;
                case DlqOutcomes.Busy:
                    _busy.Add(file);
                    break;
                case DlqOutcomes.Gone:
                    break; // stored by the node itself between the listing and here
                default:
                    Failed++;
                    LastFailure = $"{file.Name}: {outcome.Detail}";
                    break;
            }
        }

        internal string ToJson() => string.Create(
            CultureInfo.InvariantCulture,
            $$"""{"stored":{{_stored}},"events":{{_events}},"quarantined":{{Quarantined}},"failed":{{Failed}},"busy":{{Busy}}}""");

        public override string ToString() =>
            $"{Words.Count(_stored, "file")} stored"
            + (_events > 0 ? $" with {Words.Count(_events, "event")}" : "")
            + (Quarantined > 0 ? $", {Words.Count(Quarantined)} quarantined" : "")
            + (Failed > 0 ? $", {Words.Count(Failed)} failed" : "")
            + (Busy > 0 ? $", {Words.Count(Busy)} being tried by the node" : "");
    }
}
