// What a person at a terminal reads of a log entry.
using System.Text.RegularExpressions;
using Estat.Node.Logging;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Node.Tests.Logging;

public sealed partial class TerminalLinesTests
{
    [Fact]
    public void An_entry_is_one_line_of_time_level_and_message() =>
        Assert.Matches(@"^\d\d:\d\d:\d\d\.\d{3} info  Stored a b\n$", Written(LogLevel.Information, "Stored a\nb", null));

    [Fact]
    public void An_exception_follows_its_message() =>
        Assert.Matches(@"^\d\d:\d\d:\d\d\.\d{3} error it failed\nSystem\.IO\.IOException: no disk\n$",
            Written(LogLevel.Error, "it failed", new IOException("no disk")));

    private static string Written(LogLevel level, string message, Exception? error)
    {
        using var text = new StringWriter { NewLine = "\n" };
        var entry = new LogEntry<string>(level, "Category", new EventId(7), message, error, (state, _) => state);
        new TerminalLines().Write(entry, null, text);
        return Color().Replace(text.ToString(), "");
    }

    [GeneratedRegex("\e\\[[0-9;]*m")]
    private static partial Regex Color();
}
