// Log entries for a person at a terminal: time, level, message. Categories and event numbers are for machines, which get JSON.
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Estat.Node.Logging;

/// <summary>Writes <c>14:03:59.120 warn  message</c>; warnings yellow and errors red, unless NO_COLOR is set; an exception below its
/// message.</summary>
internal sealed class TerminalLines() : ConsoleFormatter(FormatterName)
{
    /// <summary>The name to choose it by.</summary>
    internal const string FormatterName = "terminal";

    private const string Plain = "\e[0m";
    private static readonly bool Colored = string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <inheritdoc/>
    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        (string level, string color) = logEntry.LogLevel switch
        {
            LogLevel.Trace => ("trace", ""),
            LogLevel.Debug => ("debug", ""),
            LogLevel.Information => ("info ", ""),
            LogLevel.Warning => ("warn ", "\e[33m"),
            LogLevel.Error => ("error", "\e[31m"),
            _ => ("CRIT ", "\e[1;31m"),
        };
        bool colored = Colored && color.Length > 0;
        textWriter.Write(DateTime.Now.ToString("HH:mm:ss.fff ", CultureInfo.InvariantCulture));
        textWriter.Write(colored ? $"{color}{level}{Plain} " : $"{level} ");
        textWriter.WriteLine(logEntry.Formatter(logEntry.State, logEntry.Exception).ReplaceLineEndings(" "));
        if (logEntry.Exception is { } error)
        {
            textWriter.WriteLine(error.ToString());
        }
    }
}
