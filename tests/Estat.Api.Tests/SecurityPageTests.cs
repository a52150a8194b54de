// Each threat in docs/security.md names the test that shows its defence: that test has to exist.
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
        Assert.True(Threats(page).Count() >= 50, "the list is not where this test looks for it");
    }

    [Theory]
    [InlineData("- **Try.** Stopped.\n  `SecurityPageTests.Every_threat_names_a_test_that_exists`", "")]
    [InlineData("- **Try.** Stopped.\n  `SecurityPageTests.Every_threat_names_a_test_that_exist`",
        "no test SecurityPageTests.Every_threat_names_a_test_that_exist")]
    [InlineData("- **Try.** Stopped.\n  `SecurityPageTests.Faults`", "no test SecurityPageTests.Faults")]
    [InlineData("- **Try.** Stopped.\n  `NoSuchTests.Every_threat_names_a_test_that_exists`",
        "no test NoSuchTests.Every_threat_names_a_test_that_exists")]
    [InlineData("- **Try.** `Trust.me`.\n  Stopped.", "names no test: - **Try.** `Trust.me`.\n  Stopped.")]
    public void A_threat_without_one_is_found(string threat, string fault) =>
        Assert.Equal(fault.Length == 0 ? [] : [fault], Faults($"## Threats\n\nEach item …\n\n### A client\n\n{threat}\n\n## What"));

    private static List<string> Faults(string page)
    {
        HashSet<string> tests = [.. Directory.EnumerateFiles(Path.Combine(Repository.Root, "tests"), "*.cs", SearchOption.AllDirectories)
            .SelectMany(TestsOf)];
        var faults = new List<string>();
        foreach (string threat in Threats(page))
        {
            MatchCollection named = NamedTest().Matches(threat);
            faults.AddRange(named.Count == 0 ? [$"names no test: {threat}"] : named.Select(one => one.Groups[1].Value)
                .Where(one => !tests.Contains(one)).Select(one => $"no test {one}"));
        }

        return faults;
    }

    // The items of the lists, each with the lines that continue it.
    private static IEnumerable<string> Threats(string page) =>
        Threat().Matches(page[page.IndexOf("## Threats", StringComparison.Ordinal)..page.IndexOf("## What", StringComparison.Ordinal)])
        .Select(threat => threat.Value);

    // Methods that [Fact] or [Theory] stands before, by the class that the file is named after: up to the first dot, for a class in several files.
    private static IEnumerable<string> TestsOf(string file) =>
        TestMethod().Matches(File.ReadAllText(file)).Select(method => $"{Path.GetFileName(file).Split('.')[0]}.{method.Groups[1].Value}");

    [GeneratedRegex(@"^- .*(?:\n  .*)*", RegexOptions.Multiline)]
    private static partial Regex Threat();

    // A line that holds nothing but the test's name.
    [GeneratedRegex("(?<=\n  )`([A-Za-z0-9]+\\.[A-Za-z0-9_]+)`(?=\n|$)")]
    private static partial Regex NamedTest();

    [GeneratedRegex("\\[(?:Fact|Theory)[^\\n]*\\](?:\\s*\\n\\s*\\[(?:[^\\n]|\\n(?!\\s*(?:public|\\[)))*)*\\s*\\n\\s*public (?:async |static "
        + ")*(?:Task|ValueTask|void) ([A-Za-z0-9_]+)\\(")]
    private static partial Regex TestMethod();
}
