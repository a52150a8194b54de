// What `estat` ends with, the same for every verb.
namespace Estat.Cli.Frame;

/// <summary>Exit codes. Documented in docs/cli.md; scripts rely on them.</summary>
internal static class ExitCode
{
    /// <summary>Done, and nothing found that is wrong.</summary>
    internal const int Done = 0;

    /// <summary>It failed, or found what it was to look for: an unsound object, a failed check, rejected lines.</summary>
    internal const int Failed = 1;

    /// <summary>The command line is wrong; nothing was begun.</summary>
    internal const int WrongUsage = 2;

    /// <summary>Ended by Ctrl-C or SIGTERM; what was begun is finished and saved, and the last line says how to go on.</summary>
    internal const int Interrupted = 130;
}
