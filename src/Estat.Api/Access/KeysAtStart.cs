// What a node says of its write keys when it starts.
using Estat.Core.Keys;
using Estat.Core.Options;

namespace Estat.Api.Access;

/// <summary>Starts looking after keys, or warns, once, that there are none.</summary>
internal static partial class KeysAtStart
{
    internal static void Begin(WriteKeys? keys, EstatOptions options, ILogger logger)
    {
        if (keys is null)
        {
            LogOpen(logger);
            return;
        }

        keys.Start();
        if (options.OpenIngest)
        {
            LogOpenBesides(logger);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "No write key is configured: whoever reaches HTTP_ADDR may send events. `estat keys new` makes one, WRITE_KEYS_FILE names its file (docs/keys.md)")]
    private static partial void LogOpen(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, Message = "OPEN_INGEST=true: requests without a write key are taken as well")]
    private static partial void LogOpenBesides(ILogger logger);
}
