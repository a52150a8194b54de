// What Orleans calls fatal: without this it aborts the process, with a core dump.
using Estat.Node.Running;

namespace Estat.Silo.Hosting;

/// <summary>
/// One line that says what to do, then a drain as at SIGTERM, and exit code 1. A silo that was declared dead drains as well: what it holds is its
/// own.
/// </summary>
internal sealed partial class FatalEnd(StopSignals signals, ILogger<FatalEnd> logger) : IFatalErrorHandler
{
    private int _hasStruck;

    /// <summary>Whether it has.</summary>
    internal bool HasStruck => Volatile.Read(ref _hasStruck) != 0;

    /// <inheritdoc/>
    public bool IsUnexpected(Exception exception) => true;

    /// <inheritdoc/>
    public void OnFatalException(object? sender, string? context, Exception? exception)
    {
        if (Interlocked.Exchange(ref _hasStruck, 1) != 0)
        {
            return;
        }

        string reason = context ?? exception?.GetBaseException().Message ?? "no reason was given";
        if (reason.Contains("older clone", StringComparison.Ordinal))
        {
            LogClockBehind(logger, DateTimeOffset.UtcNow);
        }
        else if (reason.Contains("I am dead", StringComparison.OrdinalIgnoreCase))
        {
            LogDeclaredDead(logger);
        }
        else
        {
            LogFatal(logger, exception, reason);
        }

        signals.Stop("what Orleans calls fatal");
    }

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "The membership table has a silo at this address that started later than now. This machine's clock reads {Now:u}: "
            + "it is behind, or it was ahead at the earlier start. Set it (NTP) and start this silo again. It ends now")]
    private static partial void LogClockBehind(ILogger logger, DateTimeOffset now);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "The other silos have declared this one dead, because it did not answer them or is no longer in the membership "
            + "table. It drains and ends. Start it again with the same SPOOL_DIR")]
    private static partial void LogDeclaredDead(ILogger logger);

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "The silo cannot go on: {Reason}. It drains and ends. Start it again with the same SPOOL_DIR, and report this")]
    private static partial void LogFatal(ILogger logger, Exception? error, string reason);
}
