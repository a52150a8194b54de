// How a server handles its sockets, Estat's option SOCKETS, and the runtime settings that go with it: the same for the floor.
namespace Estat.Bench.Baseline;

internal enum SocketMode
{
    /// <summary>.NET's default: a thread polls, the thread pool does the work.</summary>
    Pool,

    /// <summary>The polling thread does the work, from the socket's readiness to the answer.</summary>
    Inline,
}

internal static class SocketModes
{
    private const string Option = "SOCKETS";
    private const string SpinLimit = "DOTNET_ThreadPool_UnfairSemaphoreSpinLimit";
    private const string ServerGarbageCollection = "DOTNET_gcServer";
    private const string ConcurrentGarbageCollection = "DOTNET_gcConcurrent";

    /// <summary>As the option and the command line write it.</summary>
    internal static string Text(this SocketMode mode) => mode == SocketMode.Inline ? "inline" : "pool";

    /// <summary>
    /// What a server is started with, the floor as well as Estat: with <c>pool</c> the runtime's own defaults for a web server (70 is 0x46), with
    /// <c>inline</c>
    /// what Estat's runtimeconfig says.
    /// </summary>
    internal static (string Name, string Value)[] Settings(this SocketMode mode) => mode == SocketMode.Pool
        ? [(Option, mode.Text()), (SpinLimit, "46"), (ServerGarbageCollection, "1"), (ConcurrentGarbageCollection, "1")]
        : [(Option, mode.Text()), (SpinLimit, "0"), (ServerGarbageCollection, "0"), (ConcurrentGarbageCollection, "0")];

    internal static SocketMode Parse(string text) => text switch
    {
        "inline" => SocketMode.Inline,
        "pool" => SocketMode.Pool,
        _ => throw new FormatException($"a socket mode is inline or pool, not '{text}'"),
    };
}
