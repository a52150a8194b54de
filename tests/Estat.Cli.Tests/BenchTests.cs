// `estat bench` against a real server.
using System.Text.Json;
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests;

public sealed class BenchTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(20)]
    public async Task It_says_how_many_events_were_taken_and_they_are_stored(int batch)
    {
        using var folder = new TempFolder();
        await using ServerProcess server = await ServerProcess.StartAsync(SendTests.LocalServer(folder));
        (int code, string output) = await EstatCommand.RunAsync(
            "bench", "--seconds", "0.5", "--connections", "2", "--rate", "100", "--batch", $"{batch}", "--json", "--url",
            server.BaseAddress.ToString());
        Assert.True(code == 0, output);
        using var result = JsonDocument.Parse(output.Split('\n').First(line => line.StartsWith('{')));
        server.Terminate();
        Assert.Equal(0, await server.WaitForExitAsync(TimeSpan.FromSeconds(60)));
        Assert.Equal(0, result.RootElement.GetProperty("failed").GetInt64());
        // What was sent to warm up is stored as well.
        Assert.InRange(StoredEvents.FromFolder(folder["data"]).Count, result.RootElement.GetProperty("events").GetInt64(), long.MaxValue);
        Assert.InRange(result.RootElement.GetProperty("events").GetInt64(), batch, batch * 100);
    }
}
