// The command line as a process, as its users have it.
using Estat.Testing;

namespace Estat.Cli.Tests.Support;

/// <summary>Starts <c>estat</c>.</summary>
internal static class EstatCommand
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static string Assembly => Path.Combine(AppContext.BaseDirectory, "estat.dll");

    /// <summary>Starts it and returns at once.</summary>
    internal static ChildProcess Start(IReadOnlyDictionary<string, string> environment, params string[] args) =>
        ChildProcess.Launch("estat " + args[0], ["dotnet", Assembly, .. args], environment);

    /// <summary>Runs it to its end.</summary>
    /// <returns>Its exit code and all it printed, both streams.</returns>
    internal static async Task<(int Code, string Output)> RunAsync(IReadOnlyDictionary<string, string> environment, params string[] args)
    {
        await using ChildProcess process = Start(environment, args);
        int code = await process.WaitForExitAsync(Limit);
        return (code, process.AllOutput);
    }

    /// <summary>The same without options in the environment.</summary>
    internal static Task<(int Code, string Output)> RunAsync(params string[] args) => RunAsync(new Dictionary<string, string>(), args);
}
