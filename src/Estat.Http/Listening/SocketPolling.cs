// Which threads run what a socket has been waiting for: a setting of the process, made before its first socket.
using Amazon;
using Estat.Base.Storage;
using Estat.Base.Threading;
using Estat.Http.Options;

namespace Estat.Http.Listening;

/// <summary>
/// With <see cref="SocketThreads.Inline"/> the threads that poll sockets run the continuations themselves. It holds for every socket of the process,
/// those to storage and to other nodes too: what they go on with and is slow switches to <see cref="PoolThread"/>.
/// </summary>
internal static class SocketPolling
{
    // https://github.com/dotnet/runtime: SocketAsyncEngine.Unix.cs. Read once, when the first socket is used.
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    /// <summary>To be called before any socket is used. What the environment says already is left as it is.</summary>
    internal static void Apply(SocketThreads threads)
    {
        if (threads == SocketThreads.Inline && string.IsNullOrEmpty(Environment.GetEnvironmentVariable(InlineCompletions)))
        {
            Environment.SetEnvironmentVariable(InlineCompletions, "1");
        }

        AWSConfigs.HttpClientFactory = new AwsHttpClients();
    }
}
