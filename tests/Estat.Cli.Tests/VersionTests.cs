// What the program says of itself.
using Estat.Testing;

namespace Estat.Cli.Tests;

public sealed class VersionTests
{
    [Fact]
    public async Task It_says_its_version()
    {
        CommandResult result = await Command.RunAsync(
            TimeSpan.FromSeconds(30), "dotnet", Path.Combine(AppContext.BaseDirectory, "estat.dll"), "--version");
        Assert.Equal(0, result.ExitCode);
        Assert.StartsWith("0.1.0", result.Output, StringComparison.Ordinal);
    }
}
