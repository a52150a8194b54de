// The option SOCKETS.
namespace Estat.Http.Options;

/// <summary>Which threads handle requests.</summary>
public enum SocketThreads
{
    /// <summary>Those that wait for sockets: an event is parsed, encoded and answered on the thread that learned of it, without a switch to
    /// another.</summary>
    Inline,

    /// <summary>The thread pool's, as .NET does by itself.</summary>
    Pool,
}
