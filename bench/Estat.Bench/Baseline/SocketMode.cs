// How a server handles its sockets: Estat's option SOCKETS, and the same for the floor.
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
    /// <summary>As the option and the command line write it.</summary>
    internal static string Text(this SocketMode mode) => mode == SocketMode.Inline ? "inline" : "pool";

    /// <summary>As a server takes it.</summary>
    internal static (string Name, string Value) AsOption(this SocketMode mode) => ("SOCKETS", mode.Text());

    internal static SocketMode Parse(string text) => text switch
    {
        "inline" => SocketMode.Inline,
        "pool" => SocketMode.Pool,
        _ => throw new FormatException($"a socket mode is inline or pool, not '{text}'"),
    };
}
