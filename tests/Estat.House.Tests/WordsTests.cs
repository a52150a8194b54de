// One word for one thing: the words that docs/glossary.md avoids, where a text can be judged without understanding it.
using System.Text.RegularExpressions;

namespace Estat.House.Tests;

public sealed partial class WordsTests
{
    private static readonly string[] Folders = ["src", "docs", "deploy", "examples"];
    private static readonly string[] Kinds = [".cs", ".md", ".js", ".json", ".yml", ".yaml", ".html"];

    [Fact]
    public void Source_and_docs_use_no_word_that_the_glossary_avoids() =>
        Assert.Empty(Files().SelectMany(file => Found(Path.GetRelativePath(Repository.Root, file), File.ReadAllLines(file))));

    [Theory]
    [InlineData("each lane has one writer", "lane")]
    [InlineData("private readonly Lane first;", "Lane")]
    [InlineData("new requests, and no newcomers", "newcomers")]
    [InlineData("whoever runs it is told", "whoever runs")]
    [InlineData("as in the seed", "the seed")]
    [InlineData("two shards", "shards")]
    [InlineData("planes, miscellaneous, seeds: a number", null)]
    public void An_avoided_word_is_found(string line, string? word) =>
        Assert.Equal(word is null ? [] : new[] { $"x.md:1: {word}" }, Found("x.md", [line]));

    private static IEnumerable<string> Files() => Folders
        .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Repository.Root, folder), "*", SearchOption.AllDirectories))
        .Append(Path.Combine(Repository.Root, "README.md"))
        .Where(file => Kinds.Contains(Path.GetExtension(file)) && Path.GetFileName(file) != "glossary.md"
            && !file.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin" or "node_modules" or "vendor"));

    private static IEnumerable<string> Found(string file, string[] lines) => lines.SelectMany(
        (line, index) => Avoided().Matches(line).Select(match => $"{file}:{index + 1}: {match.Value}"));

    // A random number's seed is no private history, and "The seed and the round's number" begins a sentence about one.
    [GeneratedRegex(@"\b_?[Ll]anes?\b|\b[Ss]hards?\b|\b[Nn]ewcomers?\b|\b[Ww]hoever (?:runs|operates)\b|\bthe seed\b(?! and the round)")]
    private static partial Regex Avoided();
}
