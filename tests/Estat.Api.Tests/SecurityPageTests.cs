// docs/security.md promises by tests: each that it names has to exist.
using System.Text.RegularExpressions;
using Estat.Testing;

namespace Estat.Api.Tests;

public sealed partial class SecurityPageTests
{
    [Fact]
    public void Every_threat_names_a_test_that_exists()
    {
        string page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "security.md"));
        Assert.Equal([], Faults(page));
        Assert.True(Threats(page).Count() >= 50, "the table is not where this test looks for it");
    }

    [Theory]
    [InlineData("| a | b | `SecurityPageTests.Every_threat_names_a_test_that_exists` |", "")]
    [InlineData("| a | b | `SecurityPageTests.Every_threat_names_a_test_that_exist` |",
        "no test SecurityPageTests.Every_threat_names_a_test_that_exist")]
    [InlineData("| a | b | `SecurityPageTests.Faults` |", "no test SecurityPageTests.Faults")]
    [InlineData("| a | b | `NoSuchTests.Every_threat_names_a_test_that_exists` |", "no test NoSuchTests.Every_threat_names_a_test_that_exists")]
    [InlineData("| a | b | trust me |", "names no test: | a | b | trust me |")]
    public void A_threat_without_one_is_found(string line, string fault) =>
        Assert.Equal(fault.Length == 0 ? []
            : [fault], Faults($"## Threats\n\n| could try | what stops it | shown by |\n|---|---|---|\n{line}\n\n## What"));

    private static List<string> Faults(string page)
    {
        HashSet<string> tests = [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(TestsOf)];
        var faults = new List<string>();
        foreach (string line in Threats(page))
        {
            MatchCollection named = NamedTest().Matches(line[..^1].Split('|')[^1]);
            faults.AddRange(named.Count == 0 ? [$"names no test: {line}"] : named.Select(one => one.Groups[1].Value)
                .Where(one => !tests.Contains(one)).Select(one => $"no test {one}"));
        }

        return faults;
    }

    private static IEnumerable<string> Threats(string page) =>
        page[page.IndexOf("## Threats", StringComparison.Ordinal)..page.IndexOf("## What", StringComparison.Ordinal)]
        .Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal) && !line.StartsWith("| could try", StringComparison.Ordinal));

    // Methods that [Fact] or [Theory] stands before, by the class that the file is named after.
    private static IEnumerable<string> TestsOf(string file) =>
        TestMethod().Matches(File.ReadAllText(file)).Select(method => $"{Path.GetFileNameWithoutExtension(file)}.{method.Groups[1].Value}");

    [GeneratedRegex("`([A-Za-z0-9]+\\.[A-Za-z0-9_]+)`")]
    private static partial Regex NamedTest();

    [GeneratedRegex("\\[(?:Fact|Theory)[^\\n]*\\](?:\\s*\\n\\s*\\[(?:[^\\n]|\\n(?!\\s*(?:public|\\[)))*)*\\s*\\n\\s*public (?:async |static "
        + ")*(?:Task|ValueTask|void) ([A-Za-z0-9_]+)\\(")]
    private static partial Regex TestMethod();
}
