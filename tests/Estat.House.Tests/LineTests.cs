// Lines end where an editor's window does: at column 150, as .editorconfig has it.
using System.Text.RegularExpressions;

namespace Estat.House.Tests;

public sealed partial class LineTests
{
    private const int Longest = 150;

    // Lines of code that no place to break them was found for. The number may only shrink.
    private const int Known = 51;

    [Fact]
    public void Lines_of_code_end_by_column_150_but_for_those_that_are_known()
    {
        string[] tooLong = [.. Files("*.cs").SelectMany(file => TooLong(file, File.ReadAllLines(file)))];
        Assert.True(tooLong.Length <= Known, $"{tooLong.Length} lines, {Known} are known:\n{string.Join('\n', tooLong)}");
    }

    [Fact]
    public void Lines_of_docs_end_by_column_150_but_for_the_table_of_options_and_what_is_shown_as_it_is() =>
        Assert.Empty(Files("*.md").SelectMany(file => TooLong(file, Prose(File.ReadAllLines(file)))));

    private static IEnumerable<string> TooLong(string file, IEnumerable<string> lines) => lines
        .Where(line => line.Length > Longest)
        .Select(line => $"{Path.GetRelativePath(Repository.Root, file)}: {line.Length} columns: {line.Trim()[..60]}…");

    private static IEnumerable<string> Prose(string[] lines)
    {
        bool isShown = false;
        foreach (string line in lines)
        {
            if (line.TrimStart().StartsWith("```", StringComparison.Ordinal))
            {
                isShown = !isShown;
            }
            else if (!isShown && !OptionRow().IsMatch(line) && !line.StartsWith('#'))
            {
                yield return line;
            }
        }
    }

    // Written by the option's own help, which is one sentence or two.
    [GeneratedRegex("^\\| `[A-Z0-9_*]+` \\|")]
    private static partial Regex OptionRow();

    private static IEnumerable<string> Files(string pattern) =>
        new[] { "src", "tests", "bench", "docs", "deploy", "examples", "." }
            .SelectMany(folder => Directory.EnumerateFiles(
                Path.Combine(Repository.Root, folder), pattern, folder == "." ? SearchOption.TopDirectoryOnly : SearchOption.AllDirectories))
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin" or "node_modules" or "artifacts"));
}
