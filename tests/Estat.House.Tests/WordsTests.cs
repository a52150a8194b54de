// One word for one thing: the words that docs/glossary.md avoids, where a text can be judged without understanding it.
using System.Text.RegularExpressions;

namespace Estat.House.Tests;

public sealed partial class WordsTests
{
    private static readonly string[] Folders = ["src", "docs", "deploy", "examples", "tests"];
    private static readonly string[] Kinds = [".cs", ".md", ".js", ".json", ".yml", ".yaml", ".html"];

    [Fact]
    public void Source_docs_and_tests_use_no_word_that_the_glossary_avoids() =>
        Assert.Empty(Files().SelectMany(file => Found(Path.GetRelativePath(Repository.Root, file), File.ReadAllLines(file))));

    [Theory]
    [InlineData("each lane has one writer", "lane")]
    [InlineData("private readonly Lane first;", "Lane")]
    [InlineData("new requests, and no newcomers", "newcomers")]
    [InlineData("whoever runs it is told", "whoever runs")]
    [InlineData("as in the seed", "the seed")]
    [InlineData("void A_full_spool_turns_newcomers_away()", "newcomers")]
    [InlineData("_lane.Count", "lane")]
    [InlineData("two shards", "shards")]
    [InlineData("planes, miscellaneous, seeds: a number", null)]
    public void An_avoided_word_is_found(string line, string? word) =>
        Assert.Equal(word is null ? [] : new[] { $"x.md:1: {word}" }, Found("x.md", [line]));

    private static IEnumerable<string> Files() => Folders
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*", SearchOption.AllDirectories))
        .Append(Path.Combine(Repository.Root, "README.md"))
        .Where(file => Kinds.Contains(Path.GetExtension(file)) && Path.GetFileName(file) is not ("glossary.md" or "WordsTests.cs")
            && !file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin" or "node_modules" or "vendor"));

    // In a test the seed is a random number's, or the silo that the others ask first.
    private static IEnumerable<string> Found(string file, string[] lines) => lines.SelectMany(
        (line, index) => Avoided().Matches(line).Concat(file.StartsWith("tests", StringComparison.Ordinal) ? [] : History().Matches(line))
            .Select(match => $"{file}:{index + 1}: {match.Value}"));

    // Names that are sentences have them between underscores.
    [GeneratedRegex(@"(?<![A-Za-z])(?:[Ll]anes?|[Ss]hards?|[Nn]ewcomers?)(?![a-z])|\b[Ww]hoever (?:runs|operates)\b")]
    private static partial Regex Avoided();

    // A random number's seed is no private history, and "The seed and the round's number" begins a sentence about one.
    [GeneratedRegex(@"\bthe seed\b(?! and the round)")]
    private static partial Regex History();
}
