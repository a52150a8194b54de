// What .env may hold, and what of it a program gets.
using Estat.Base.Options;

namespace Estat.Base.Tests.Options;

public sealed class EnvFileTests
{
    [Theory]
    [InlineData("A=1", "1")]
    [InlineData("  export A = 1  ", "1")]
    [InlineData("A=", "")]
    [InlineData("A=one two # three", "one two")]
    [InlineData("A=one#two", "one#two")]
    [InlineData("A=# nothing", "")]
    [InlineData("A='one # \\n $two'  # three", "one # \\n $two")]
    [InlineData("A=\"one\\n\\\"two\\\" \\\\ $three\"", "one\n\"two\" \\ $three")]
    [InlineData("A=1\r\nB=2\r\n", "1")]
    [InlineData("A=1\nA=2", "2")]
    [InlineData("\uFEFF# first\n\nA=b=c", "b=c")]
    public void A_line_is_a_variable(string text, string value) =>
        Assert.Equal(value, EnvFile.Parse(text.TrimStart('\uFEFF'), ".env")["A"]);

    [Theory]
    [InlineData("A=1\nB", 2)]
    [InlineData("=1", 1)]
    [InlineData("1A=1", 1)]
    [InlineData("A B=1", 1)]
    [InlineData("A='1", 1)]
    [InlineData("A=\"1\\\"", 1)]
    [InlineData("A='1' 2", 1)]
    public void Anything_else_is_told_by_its_line_and_not_repeated(string text, int line)
    {
        OptionException error = Assert.Throws<OptionException>(() => EnvFile.Parse(text, ".env"));
        Assert.StartsWith($".env, line {line}: must be NAME=value", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_file_is_told_and_no_file_is_none()
    {
        using var folder = new TempFolder();
        EnvFile.Load(folder["missing"]);
        Directory.CreateDirectory(folder["folder"]);
        Assert.Contains("cannot be read", Assert.Throws<OptionException>(() => EnvFile.Load(folder["folder"])).Message, StringComparison.Ordinal);
    }
}
