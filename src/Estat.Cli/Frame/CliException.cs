// The one way in which a verb gives up.
namespace Estat.Cli.Frame;

/// <summary>Ends the program with one line on standard error. The message says what is wrong and what to do.</summary>
/// <param name="message">One line, without the program's name.</param>
/// <param name="exitCode">See <see cref="ExitCode"/>.</param>
internal sealed class CliException(string message, int exitCode = ExitCode.Failed) : Exception(message)
{
    /// <summary>What the program ends with.</summary>
    internal int Code => exitCode;

    /// <summary>The command line is wrong in a way that only the verb can tell.</summary>
    internal static CliException Usage(string message) => new(message, ExitCode.WrongUsage);
}
