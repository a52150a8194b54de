// The console blocks of a page of the documentation: the commands that a reader types, and what the page says that they print.
using System.Text;
using System.Text.RegularExpressions;
using Estat.Testing;

namespace Estat.Console.Tests;

/// <summary>
/// One walk through a section's commands, against a server that the test has started. The reader's address, ids and times are others than the page's:
/// an id counts as the one that was printed in its place first, <c>…</c> stands for anything, a time and <c>Retry-After</c> for any of their kind.
/// </summary>
internal sealed partial class DocConsole
{
    private const string DocumentedAddress = "http://127.0.0.1:8080";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly Dictionary<string, string> _ids = [];
    private readonly Queue<Step> _steps;

    private DocConsole(Queue<Step> steps) => _steps = steps;

    /// <summary>Reads the section of a page that has this heading.</summary>
    internal static DocConsole Read(string page, string heading)
    {
        string text = File.ReadAllText(Path.Combine(Repository.Root, page));
        int from = text.IndexOf($"\n## {heading}\n", StringComparison.Ordinal);
        Assert.True(from >= 0, $"{page} has no section \"{heading}\"");
        int to = text.IndexOf("\n## ", from + 1, StringComparison.Ordinal);
        var steps = new Queue<Step>();
        foreach (Match block in Blocks().Matches(text[from..to]))
        {
            foreach (string part in ("\n" + block.Groups[1].Value).Split("\n$ ", StringSplitOptions.RemoveEmptyEntries))
            {
                string[] lines = part.Replace("\\\n", "\\\v", StringComparison.Ordinal).Split('\n', StringSplitOptions.RemoveEmptyEntries);
                steps.Enqueue(new Step(lines[0].Replace("\\\v", "\\\n", StringComparison.Ordinal), lines[1..]));
            }
        }

        return new DocConsole(steps);
    }

    /// <summary>Whether every command was run.</summary>
    internal bool IsDone => _steps.Count == 0;

    /// <summary>The options of the next command, which has to be <c>make run</c>.</summary>
    internal Dictionary<string, string> MakeRun()
    {
        Step step = _steps.Dequeue();
        Assert.StartsWith("make run ", step.Command, StringComparison.Ordinal);
        return step.Command.Split(' ')[2..].Select(option => option.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
    }

    /// <summary>Runs the next command as bash does, and compares what it prints. One that only reads is run until it prints that.</summary>
    /// <param name="begins">How the command begins, so that a test that runs another one than it means fails.</param>
    /// <param name="server">Where the server is.</param>
    /// <param name="folder">Where the reader stands.</param>
    /// <returns>What it printed.</returns>
    internal async Task<string> NextAsync(string begins, Uri server, string folder)
    {
        Step step = _steps.Dequeue();
        Assert.StartsWith(begins, step.Command, StringComparison.Ordinal);
        string command = WithIds(step.Command.Replace(DocumentedAddress, server.ToString().TrimEnd('/'), StringComparison.Ordinal));
        string script = $"cd '{folder}' && curl() {{ command curl -sS \"$@\"; }} && {command}";
        bool writes = Writes().IsMatch(command);
        string printed = "";
        string? fault = null;
        await Wait.UntilAsync(
            async () =>
            {
                printed = await Command.SucceedAsync(Limit, "bash", "-c", script);
                fault = Fault(step, printed.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
                return writes || fault is null;
            },
            Limit,
            $"what the page says of: {step.Command}",
            () => $"{fault}; printed:\n{printed}");
        Assert.True(fault is null, $"{step.Command}\n{fault}; printed:\n{printed}");
        return printed;
    }

    // A page that shows headers shows some of them; of anything else it shows every line.
    private string? Fault(Step step, string[] printed)
    {
        string? missing = step.Output.FirstOrDefault(line => !printed.Any(other => Fits(line, other)));
        return missing is not null ? $"missing: {missing}"
            : step.Output.Length > 0 && !step.Command.StartsWith("curl -i", StringComparison.Ordinal) && step.Output.Length != printed.Length
                ? $"{printed.Length} lines instead of {step.Output.Length}"
                : null;
    }

    private bool Fits(string documented, string printed)
    {
        var pattern = new StringBuilder("^");
        int at = 0;
        var seen = new List<string>();
        foreach (Match match in Varying().Matches(documented))
        {
            pattern.Append(Regex.Escape(documented[at..match.Index]));
            at = match.Index + match.Length;
            if (match.Groups["id"].Success)
            {
                bool isKnown = _ids.TryGetValue(match.Value, out string? id);
                pattern.Append(isKnown ? id : $"({Uuid})");
                seen.AddRange(isKnown ? [] : [match.Value]);
            }
            else
            {
                pattern.Append(match.Value switch
                {
                    "…" => ".*",
                    ['R', ..] => "Retry-After: [0-9]+",
                    _ => Time,
                });
            }
        }

        Match fit = Regex.Match(printed, pattern.Append(Regex.Escape(documented[at..])).Append('$').ToString());
        for (int group = 0; fit.Success && group < seen.Count; group++)
        {
            _ids[seen[group]] = fit.Groups[group + 1].Value;
        }

        return fit.Success;
    }

    private string WithIds(string command) => _ids.Aggregate(command, (text, pair) => text.Replace(pair.Key, pair.Value, StringComparison.Ordinal));

    private const string Uuid = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
    private const string Time = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z";

    [GeneratedRegex("```console\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Blocks();

    [GeneratedRegex($"(?<id>{Uuid})|{Time}|…|Retry-After: [0-9]+", RegexOptions.ExplicitCapture)]
    private static partial Regex Varying();

    [GeneratedRegex(" -(?:X|d|i) ")]
    private static partial Regex Writes();

    private sealed record Step(string Command, string[] Output);
}
