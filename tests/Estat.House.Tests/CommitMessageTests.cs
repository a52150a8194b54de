// What scripts/commit-msg.sh lets pass, as CONTRIBUTING.md describes it.
namespace Estat.House.Tests;

public sealed class CommitMessageTests
{
    [Theory]
    [InlineData("A subject\n\nBecause.\n", null)]
    [InlineData("A subject\n\nBecause.\n# what git adds\n", null)]
    [InlineData("Merge branch 'x'\n", null)]
    [InlineData("A subject\n", "it has no body")]
    [InlineData("A subject\n\n# a comment alone\n", "it has no body")]
    [InlineData("A subject\nBecause.\n", "the second line is not empty")]
    [InlineData("A subject.\n\nBecause.\n", "ends with a full stop")]
    [InlineData("\n\nBecause.\n", "it has no subject")]
    [InlineData("1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 12345678\n\nBecause.\n", "has 74 characters, 72 are the most")]
    [InlineData("1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 123456\n\nBecause.\n", null)]
    public async Task A_message_has_a_short_subject_and_a_body(string message, string? complaint)
    {
        using var folder = new TempFolder();
        string file = folder["message"];
        await File.WriteAllTextAsync(file, message);
        CommandResult result = await Command.RunAsync(
            TimeSpan.FromSeconds(30), Path.Combine(Repository.Root, "scripts", "commit-msg.sh"), file);

        Assert.Equal(complaint is null ? 0 : 1, result.ExitCode);
        Assert.Contains(complaint ?? "", result.Output, StringComparison.Ordinal);
    }
}
