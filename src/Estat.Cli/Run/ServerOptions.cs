// The server's options, as the command line's parser wants them.
using System.Collections;
using Estat.Core.Options;

namespace Estat.Cli.Run;

/// <summary>One parser option for each of the table; values are bound and checked by <see cref="OptionTable"/>, as the server does it.</summary>
internal static class ServerOptions
{
    private const string SettingsFile = "appsettings.json";

    internal static IReadOnlyList<Option> Create() =>
    [
        .. OptionTable.All.Select(spec => new Option<string?>($"--{spec.Name}") { Description = spec.Purpose, HelpName = spec.Default.Length == 0 ? "value" : spec.Default }),
    ];

    /// <summary>What the server would read from this command line, the environment and the settings file.</summary>
    /// <exception cref="OptionException">As the server would end with.</exception>
    internal static EstatOptions Bind(ParseResult parsed, IReadOnlyList<Option> options) => Bind(
    [
        .. options.OfType<Option<string?>>().Where(option => parsed.GetResult(option) is not null).Select(option => $"{option.Name}={parsed.GetValue(option)}"),
    ]);

    /// <inheritdoc cref="Bind(ParseResult, IReadOnlyList{Option})"/>
    internal static EstatOptions Bind(params string[] args) => OptionTable.Bind(
        args,
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(pair => new KeyValuePair<string, string?>((string)pair.Key, pair.Value as string)),
        SettingsFile);
}
