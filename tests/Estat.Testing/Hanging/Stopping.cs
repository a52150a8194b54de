// One row of the table "SIGTERM ends every program within SHUTDOWN_TIMEOUT whatever hangs", from start to exit code.

namespace Estat.Testing;

/// <summary>The same for every program: what differs is how it is started, and what hangs.</summary>
public static class Stopping
{
    // A promise with a bound, no measure of speed: past it, and what a supervisor adds, comes SIGKILL.
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Reaping = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan ReadyLimit = TimeSpan.FromSeconds(120);

    /// <summary>SHUTDOWN_TIMEOUT of what is stopped.</summary>
    public static string ShutdownTimeout { get; } = $"{Timeout.TotalSeconds:0}s";

    /// <summary>Starts a program, lets something hang, sends SIGTERM, and waits for the end.</summary>
    /// <param name="hang">What hangs.</param>
    /// <param name="options">The program's options; SHUTDOWN_TIMEOUT and what the hang needs are added.</param>
    /// <param name="launch">Starts the program.</param>
    /// <returns>The exit code, and all that was printed.</returns>
    /// <exception cref="TimeoutException">It did not end within SHUTDOWN_TIMEOUT.</exception>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        Hang hang, Dictionary<string, string> options, Func<IReadOnlyDictionary<string, string>, ServerProcess> launch)
    {
        ArgumentNullException.ThrowIfNull(hang);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(launch);
        options["SHUTDOWN_TIMEOUT"] = ShutdownTimeout;
        await hang.PrepareAsync(options);
        await using var server = launch(options);
        await server.UntilReadyAsync(ReadyLimit);
        await hang.BeginAsync(server);
        server.Terminate();
        var exitCode = await server.WaitForExitAsync(Timeout + Reaping);
        return (exitCode, string.Join('\n', server.Output));
    }

    /// <summary>The same for a program that is no server: SIGTERM, and the end within the time.</summary>
    /// <exception cref="TimeoutException">It did not end.</exception>
    public static Task<int> EndAsync(ChildProcess process)
    {
        ArgumentNullException.ThrowIfNull(process);
        process.Terminate();
        return process.WaitForExitAsync(Timeout + Reaping);
    }
}
