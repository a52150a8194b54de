// The server's options, as the command line's parser wants them.
using Estat.Core.Options;

namespace Estat.Cli.Run;

/// <summary>One parser option for each of the table; values are bound and checked by <see cref="OptionTable"/>, as the server does it.</summary>
internal static class ServerOptions
{
    internal static IReadOnlyList<Option> Create() =>
    [
        .. OptionTable.All.Select(spec => new Option<string?>($"--{spec.Name}") { Description = spec.Purpose, HelpName = spec.Default.Length == 0 ? "value" : spec.Default }),
    ];

    /// <summary>The arguments that the server would have been given.</summary>
    internal static string[] ArgumentsOf(ParseResult parsed, IReadOnlyList<Option> options) =>
    [
        .. options.OfType<Option<string?>>().Where(option => parsed.GetResult(option) is not null).Select(option => $"{option.Name}={parsed.GetValue(option)}"),
    ];
}
