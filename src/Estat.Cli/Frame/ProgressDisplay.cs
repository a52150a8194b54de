// Progress for people: a bar on a terminal; elsewhere one line on standard error every few seconds, none for what is over before.
using Spectre.Console;

namespace Estat.Cli.Frame;

/// <summary>Shows a <see cref="Progress"/> while the work runs. The rest of time is reckoned from the rate since the start.</summary>
internal static class ProgressDisplay
{
    private static readonly TimeSpan BarRefresh = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(5);

    internal static async Task<T> RunAsync<T>(Shell shell, string title, Progress progress, Func<Task<T>> work, bool quiet)
    {
        if (quiet)
        {
            return await work().ConfigureAwait(false);
        }

        if (!shell.ErrorIsTerminal)
        {
            return await WithLinesAsync(shell, title, progress, work()).ConfigureAwait(false);
        }

        IAnsiConsole console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(shell.Error) });
        long started = shell.Time.GetTimestamp();
        return await console.Progress().AutoClear(true).HideCompleted(false)
            .Columns(new ProgressBarColumn(), new PercentageColumn(), new TaskDescriptionColumn { Alignment = Justify.Left })
            .StartAsync(async display =>
            {
                ProgressTask bar = display.AddTask(title);
                Task<T> running = work();
                while (!running.IsCompleted)
                {
                    Show();
                    await Task.WhenAny(running, Task.Delay(BarRefresh, shell.Time)).ConfigureAwait(false);
                }

                Show();
                return await running.ConfigureAwait(false);

                void Show()
                {
                    bar.IsIndeterminate = progress.Total == 0;
                    bar.MaxValue = Math.Max(1, progress.Total);
                    bar.Value = progress.Done;
                    bar.Description = Markup.Escape(Line(title, progress, shell.Time.GetElapsedTime(started), withPercent: false));
                }
            }).ConfigureAwait(false);
    }

    /// <summary><c>sending: 40 %, 12,000 events, 8 s left</c>.</summary>
    internal static string Line(string title, Progress progress, TimeSpan elapsed, bool withPercent)
    {
        double fraction = progress.Total > 0 ? Math.Min(1, progress.Done / (double)progress.Total) : 0;
        var parts = new List<string>();
        if (withPercent && progress.Total > 0)
        {
            parts.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{Math.Floor(fraction * 100):0} %"));
        }

        if (progress.Detail.Length > 0)
        {
            parts.Add(progress.Detail);
        }

        if (fraction is > 0 and < 1 && elapsed > TimeSpan.FromSeconds(1))
        {
            parts.Add(Words.Duration(elapsed * ((1 - fraction) / fraction)) + " left");
        }

        return parts.Count == 0 ? title : $"{title}: {string.Join(", ", parts)}";
    }

    private static async Task<T> WithLinesAsync<T>(Shell shell, string title, Progress progress, Task<T> running)
    {
        long started = shell.Time.GetTimestamp();
        while (await Task.WhenAny(running, Task.Delay(LineEvery, shell.Time)).ConfigureAwait(false) != running)
        {
            shell.Note(Line(title, progress, shell.Time.GetElapsedTime(started), withPercent: true));
        }

        return await running.ConfigureAwait(false);
    }
}
