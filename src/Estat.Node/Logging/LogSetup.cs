// Logs: JSON lines for machines, one readable line each for a terminal.
using Estat.Http.Options;
using Microsoft.Extensions.Logging.Console;

namespace Estat.Node.Logging;

/// <summary>Console logging to standard output. Nothing is logged per event.</summary>
internal static class LogSetup
{
    // Orleans warns, with a stack trace, of each attempt to connect to a silo that is away and of each call that it does not answer. Estat says once
    // that it is.
    private static readonly string[] SaidByEstat = ["Orleans.Runtime.Messaging", "Orleans.Messaging", "Orleans.Runtime.CallbackData"];

    // And of a start that fails, three times.
    private static readonly string[] StartSaidByEstat = ["Orleans.Runtime.SiloLifecycleSubject", "Orleans.Runtime.Silo", "Orleans.LifecycleSubject"];

    // Orleans logs about grain services under their names.
    private static readonly string[] GrainServices = ["Estat.Grains.Administration.AdminSiloGrain", "Estat.Grains.Replication.ReplicaGrain"];

    /// <summary>A factory for a whole process; its owner disposes of it last.</summary>
    internal static ILoggerFactory Create(NodeOptions options, bool isTerminal) =>
        LoggerFactory.Create(logging => Apply(logging, options, isTerminal));

    /// <summary>Whether somebody reads along, rather than a program.</summary>
    internal static bool IsText(NodeOptions options, bool isTerminal) =>
        options.LogFormat == LogFormat.Text || (options.LogFormat == LogFormat.Auto && isTerminal);

    internal static void Apply(ILoggingBuilder logging, NodeOptions options, bool isTerminal)
    {
        LogLevel own = Enum.Parse<LogLevel>(options.LogLevel, ignoreCase: true);
        LogLevel others = own > LogLevel.Warning ? own : LogLevel.Warning;
        logging.SetMinimumLevel(own);
        logging.AddFilter("Microsoft", others);
        logging.AddFilter("System", others);
        logging.AddFilter("Orleans", others);
        logging.AddFilter("Polly", others); // Orleans places each grain by it
        foreach (string service in GrainServices)
        {
            logging.AddFilter(service, others);
        }

        foreach (string repeated in SaidByEstat)
        {
            logging.AddFilter(repeated, others > LogLevel.Error ? others : LogLevel.Error);
        }

        foreach (string told in StartSaidByEstat)
        {
            logging.AddFilter(told, LogLevel.Critical);
        }

        logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Critical); // it takes the machine's time since boot for a stall at each start
        // As long as this category could log anything, ASP.NET makes an Activity and a log scope for every request: 830 bytes each. Estat logs
        // failed requests itself (Router).
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        // A start that fails is told in one line, by Program.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.None);
        if (IsText(options, isTerminal))
        {
            logging.AddConsoleFormatter<TerminalLines, ConsoleFormatterOptions>();
            logging.AddConsole(console => console.FormatterName = TerminalLines.FormatterName);
        }
        else
        {
            logging.AddConsoleFormatter<JsonLogLines, ConsoleFormatterOptions>();
            logging.AddConsole(console => console.FormatterName = JsonLogLines.FormatterName);
        }
    }
}
