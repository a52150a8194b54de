// What a node says of its write keys when it starts.
using System.Net;
using Estat.Base.Access;
using Estat.Base.Options;
using Estat.Http.Options;

namespace Estat.Http.Access;

/// <summary>Warns, once, that there are none; where nobody but this machine can send, that is no more than information. After the listener, as it
/// speaks of who can send.</summary>
internal static partial class KeysAtStart
{
    internal static void Tell(WriteKeys? keys, HttpOptions http, WriteKeyOptions options, ILogger logger)
    {
        if (keys is null)
        {
            _ = ListenAddress.TryParse(http.HttpAddr, out ListenAddress address); // the options were checked
            LogOpen(logger, address.Address is { } ip && IPAddress.IsLoopback(ip) ? LogLevel.Information : LogLevel.Warning);
            return;
        }

        if (options.OpenIngest)
        {
            LogOpenBesides(logger);
        }
    }

    [LoggerMessage(
        Message = "No write key is configured: every client that reaches HTTP_ADDR may send events. To require one, make a key with `estat keys new` "
            + "and set WRITE_KEYS_FILE to its file (docs/keys.md)")]
    private static partial void LogOpen(ILogger logger, LogLevel level);

    [LoggerMessage(Level = LogLevel.Warning, Message = "OPEN_INGEST=true: the node also takes requests without a write key")]
    private static partial void LogOpenBesides(ILogger logger);
}
