// Runs a command line tool to its end, for the parts of a test that only a tool can do.

using System.Diagnostics;

namespace Estat.Testing;

/// <summary>What a tool's run came to: its exit code and all that it printed, both streams.</summary>
public sealed record CommandResult(int ExitCode, string Output);

/// <summary>Runs tools such as mount or the scripts of this repository.</summary>
public static class Command
{
    /// <summary>Runs a tool and returns once it has ended, whatever its exit code.</summary>
    /// <exception cref="TimeoutException">It had not ended in time; it was killed.</exception>
    public static async Task<CommandResult> RunAsync(TimeSpan timeout, string file, params string[] arguments)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{file} did not start");
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await Task.WhenAll(process.WaitForExitAsync(), output, errors).WaitAsync(timeout);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"waited {timeout.TotalSeconds:0.###} s for {file} {string.Join(' ', arguments)} to end");
        }

        return new CommandResult(process.ExitCode, (await output + await errors).Trim());
    }

    /// <summary>Runs a tool that has to succeed.</summary>
    /// <exception cref="InvalidOperationException">Its exit code was not 0; the message holds what it printed.</exception>
    public static async Task<string> SucceedAsync(TimeSpan timeout, string file, params string[] arguments)
    {
        var (exitCode, output) = await RunAsync(timeout, file, arguments);
        return exitCode == 0
            ? output
            : throw new InvalidOperationException($"{file} {string.Join(' ', arguments)} ended with {exitCode}:\n{output}");
    }

    /// <summary>Whether a tool is on PATH.</summary>
    public static bool Exists(string tool) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Any(folder => File.Exists(Path.Combine(folder, tool)));
}
