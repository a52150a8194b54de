// The server's command line, run to its end, with its two outputs apart.
using System.Diagnostics;
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Testing;

namespace Estat.Api.Tests.Hosting;

/// <summary>Runs Estat.Api in a folder, with an environment of which the test knows all that matters.</summary>
internal static class ServerCommand
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    internal static async Task<(int ExitCode, string Output, string Errors)> RunAsync(string folder, string[] environment, string[] arguments)
    {
        string dotnet = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        var start = new ProcessStartInfo(dotnet, [Repository.Assembly("Estat.Api"), .. arguments])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (OptionSpec<EstatOptions> option in OptionTable.All)
        {
            start.Environment.Remove(option.Name);
        }

        foreach (string variable in environment)
        {
            int equals = variable.IndexOf('=', StringComparison.Ordinal);
            start.Environment[variable[..equals]] = variable[(equals + 1)..];
        }

        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(Limit);
        }
        catch (TimeoutException)
        {
            process.Kill();
            throw new TimeoutException($"waited {Limit.TotalSeconds} s for the server to end by itself");
        }

        return (process.ExitCode, await output, await errors);
    }

    /// <summary>The text, which has to be one line.</summary>
    internal static string OnlyLine(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        return Assert.Single(text[..^1].Split('\n'));
    }
}
