// Options that all of `estat dlq …` share: which DLQ.
using Estat.Cli.Frame;

namespace Estat.Cli.Dlq;

/// <summary><c>--url</c>, <c>--token</c>, <c>--node</c>, or <c>--dir</c>.</summary>
internal sealed class DlqOptions
{
    private readonly NodeOptions _node;
    private readonly Option<string?> _name = new("--node") { Description = "A node of the cluster that --url belongs to", HelpName = "name" };
    private readonly Option<string?> _dir = new("--dir") { Description = "DLQ_DIR of a server that is not running", HelpName = "folder" };

    internal DlqOptions(Command command)
    {
        _node = NodeOptions.ForAdmin(command);
        command.Options.Add(_name);
        command.Options.Add(_dir);
    }

    /// <summary>Opens it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="shell">For the interruption.</param>
    /// <param name="changes">Whether it will be changed; a folder is owned for as long then.</param>
    internal IDlqSource Open(ParseResult parsed, Shell shell, bool changes = false)
    {
        if (parsed.GetValue(_dir) is { } folder)
        {
            return _node.IsNamed(parsed) || parsed.GetValue(_name) is not null
                ? throw CliException.Usage("give --dir or --url, not both: a folder, or a running node")
                : FolderDlq.Open(folder, changes, shell);
        }

        return new NodeDlq(AdminClient.Of(_node, parsed, shell, parsed.GetValue(_name)));
    }

    /// <summary><c>NAME…</c> and <c>--all</c>; one of them must be there.</summary>
    internal static (Argument<string[]> Names, Option<bool> All) Choice(string verb) =>
        (new Argument<string[]>("name") { Description = $"Files to {verb}, as estat dlq list names them", Arity = ArgumentArity.ZeroOrMore },
            new Option<bool>("--all") { Description = $"{char.ToUpperInvariant(verb[0])}{verb[1..]} all files" });

    /// <summary>The chosen names; none means all.</summary>
    internal static IReadOnlyList<string> Chosen(ParseResult parsed, Argument<string[]> names, Option<bool> all)
    {
        string[] named = parsed.GetValue(names) ?? [];
        return (named.Length > 0) == parsed.GetValue(all) ? throw CliException.Usage("name files, or give --all") : named;
    }
}
