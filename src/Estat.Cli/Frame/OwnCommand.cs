// The command line that goes on with what was interrupted, to be copied.
namespace Estat.Cli.Frame;

/// <summary>The one that this process was started with, without secrets.</summary>
internal static class OwnCommand
{
    private static readonly string[] Secrets = ["--token", "--key"];

    /// <summary><c>estat send events.ndjson --url http://…</c>.</summary>
    /// <param name="without">Flags that must not be repeated, such as <c>--again</c>.</param>
    internal static string Line(params string[] without)
    {
        string[] args = Environment.GetCommandLineArgs()[1..];
        var kept = new List<string> { "estat" };
        for (int i = 0; i < args.Length; i++)
        {
            if (Secrets.Contains(args[i]))
            {
                i++;
            }
            else if (!without.Contains(args[i]) && !Secrets.Any(
                secret => args[i].StartsWith(secret + "=", StringComparison.Ordinal) || args[i].StartsWith(secret + ":", StringComparison.Ordinal)))
            {
                kept.Add(Quoted(args[i]));
            }
        }

        return string.Join(' ', kept);
    }

    private static string Quoted(string argument) =>
        argument.Length > 0 && argument.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:=,@+%".Contains(c, StringComparison.Ordinal))
            ? argument
            : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
