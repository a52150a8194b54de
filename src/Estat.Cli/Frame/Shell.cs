// What a verb has of the world: where to print, whether a person watches, how it is told to stop.
using Microsoft.Win32.SafeHandles;
using Spectre.Console;

namespace Estat.Cli.Frame;

/// <summary>
/// Results go to <see cref="Out"/>; progress, notes and questions to <see cref="Error"/>, so that a pipe gets results alone. Nothing that came from
/// outside reaches a terminal unescaped: <see cref="Printable"/>.
/// </summary>
internal sealed class Shell : IDisposable
{
    /// <param name="time">The clock.</param>
    /// <param name="shutdownTimeout">How long a verb may take from a signal to its end.</param>
    internal Shell(TimeProvider time, TimeSpan shutdownTimeout)
    {
        Time = time;
        OutIsTerminal = !Console.IsOutputRedirected;
        ErrorIsTerminal = !Console.IsErrorRedirected;
        Out = OutIsTerminal ? Console.Out : OpenOutput();
        Error = Console.Error;
        Interruption = new Interruption(time, Error, shutdownTimeout);
    }

    /// <summary>Results.</summary>
    internal TextWriter Out { get; }

    /// <summary>Everything else.</summary>
    internal TextWriter Error { get; }

    /// <summary>Whether a person reads <see cref="Out"/>.</summary>
    internal bool OutIsTerminal { get; }

    /// <summary>Whether a person reads <see cref="Error"/>.</summary>
    internal bool ErrorIsTerminal { get; }

    /// <summary>Whether somebody can answer a question.</summary>
    internal bool CanAsk => ErrorIsTerminal && !Console.IsInputRedirected;

    /// <summary>Signals.</summary>
    internal Interruption Interruption { get; }

    /// <summary>Cancelled by Ctrl-C.</summary>
    internal CancellationToken Asked => Interruption.Asked;

    /// <summary>The clock.</summary>
    internal TimeProvider Time { get; }

    /// <summary>A console for tables on <see cref="Out"/>; without colour where it is redirected.</summary>
    internal IAnsiConsole Tables() =>
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Out), Ansi = OutIsTerminal ? AnsiSupport.Detect : AnsiSupport.No });

    /// <summary>Rows of the result: a table on a terminal, tab-separated lines elsewhere. Nothing without rows.</summary>
    internal void Rows(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        List<IReadOnlyList<string>> all = [.. rows.Select(row => row.Select(cell => Printable(cell).Replace('\t', ' ')).ToList())];
        if (all.Count == 0)
        {
            return;
        }

        if (!OutIsTerminal)
        {
            all.Insert(0, columns);
            all.ForEach(row => Say(string.Join('\t', row)));
            return;
        }

        var table = new Table { Border = TableBorder.None };
        foreach (string column in columns)
        {
            table.AddColumn(new TableColumn(column) { NoWrap = column != columns[^1] });
        }

        all.ForEach(row => table.AddRow([.. row.Select(cell => new Text(cell))]));
        Tables().Write(table);
    }

    /// <summary>One line for people, on <see cref="Error"/>.</summary>
    internal void Note(string line) => Error.WriteLine(line);

    /// <summary>One line of the result.</summary>
    internal void Say(string line) => Out.WriteLine(line);

    /// <summary>Asks for yes or no; anything but yes is no.</summary>
    internal bool Confirm(string question)
    {
        Error.Write($"{question} [y/N] ");
        return Console.In.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }

    /// <summary>Runs work that takes a while, showing how far it is: a bar on a terminal, a line every few seconds elsewhere.</summary>
    /// <param name="title">What is done: <c>sending</c>.</param>
    /// <param name="progress">What the work reports to.</param>
    /// <param name="work">The work.</param>
    /// <param name="quiet">Shows nothing.</param>
    internal Task<T> ProgressAsync<T>(string title, Progress progress, Func<Task<T>> work, bool quiet = false) =>
        ProgressDisplay.RunAsync(this, title, progress, work, quiet);

    /// <summary>Text from outside, for a terminal: control characters (an escape above all) are shown, not obeyed.</summary>
    internal static string Printable(string text)
    {
        if (!text.Any(IsUnsafe))
        {
            return text;
        }

        return string.Concat(text.Select(c => IsUnsafe(c) ? $"\\u{(int)c:x4}" : c.ToString()));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Out.Flush();
        }
        catch (IOException)
        {
            // Its reader has gone.
        }

        Interruption.Dispose();
    }

    // Controls of both kinds, and the marks that turn the direction of text around.
    private static bool IsUnsafe(char c) => (char.IsControl(c) && c != '\t') || c is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069');

    // The console's own stream says nothing when the reader of a pipe has gone (`estat tail | head`): a verb would print into nothing for ever.
    private static StreamWriter OpenOutput()
    {
        var pipe = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
        return new StreamWriter(pipe.CanSeek ? Console.OpenStandardOutput() : pipe) { AutoFlush = true };
    }
}
