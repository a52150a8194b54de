// The README's table of options is checked against the code, so that neither lists what the other does not know.
using Estat.Testing;
using System.Text.RegularExpressions;
using Estat.Api.Options;
using Estat.Base.Options;

namespace Estat.Api.Tests.Options;

public sealed partial class ReadmeTests
{
    // Each program's own, and once those of both.
    private static IEnumerable<OptionSpec<EstatOptions>> Existing => OptionTable.All.Concat(OptionTable.OfCluster).DistinctBy(option => option.Name);

    [Fact]
    public void README_lists_exactly_the_options_that_exist()
    {
        string readme = Path.Combine(Repository.Root, "README.md");
        Assert.SkipUnless(File.Exists(readme), "there is no README.md yet");
        Assert.Equal("", Difference(File.ReadAllText(readme)));
    }

    [Fact]
    public void An_option_that_the_README_lacks_or_makes_up_is_found()
    {
        string table = string.Concat(Existing.Select(option => $"| `{option.Name}` | `{option.Default}` | {option.Purpose} |\n"));
        Assert.Equal("", Difference("# Estat\n\n| name | default | what |\n|---|---|---|\n" + table));
        Assert.Equal("BATCH_SIZE is missing; BATCHES does not exist",
            Difference(table.Replace("| `BATCH_SIZE`", "| `BATCHES`", StringComparison.Ordinal)));
        Assert.Equal("ACK stands there twice", Difference(table + "| `ACK` | | |\n"));
    }

    // Option names are upper case in backticks at the beginning of a table's row; other tables have other things there.
    private static string Difference(string readme)
    {
        List<string> listed = [.. RowName().Matches(readme).Select(match => match.Groups[1].Value)];
        List<string> existing = [.. Existing.Select(option => option.Name)];
        return string.Join("; ",
        [
            .. existing.Except(listed).Select(name => $"{name} is missing"),
            .. listed.Except(existing).Select(name => $"{name} does not exist"),
            .. listed.GroupBy(name => name).Where(group => group.Count() > 1).Select(group => $"{group.Key} stands there twice"),
        ]);
    }

    [GeneratedRegex(@"^\|\s*`([A-Z][A-Z0-9_]+\*?)`", RegexOptions.Multiline)]
    private static partial Regex RowName();
}
