// The server's options, as the command line's parser wants them.
using System.Collections;
using Estat.Api.Options;
using Estat.Base.Options;

namespace Estat.Cli.Run;

/// <summary>
/// One parser option for each of the table; values are bound and checked by <see cref="OptionTable"/>, as the server does it. The server is the one
/// that lies beside the command line: a cluster's node in its image, where options of a cluster are right that the standalone server refuses
/// (<c>ACK=replica</c>).
/// </summary>
internal static class ServerOptions
{
    private const string SettingsFile = "appsettings.json";

    private static bool IsOfCluster => File.Exists(Path.Combine(AppContext.BaseDirectory, "Estat.Silo.dll"));

    /// <summary>Those of the server beside the command line.</summary>
    internal static IReadOnlyList<Option> Create() => Create(IsOfCluster ? OptionTable.OfCluster : OptionTable.All);

    /// <summary>Those of a table.</summary>
    internal static IReadOnlyList<Option> Create(IReadOnlyList<OptionSpec<EstatOptions>> specs) =>
    [
        .. specs.Where(spec => !spec.IsFamily).Select(spec =>
            new Option<string?>($"--{spec.Name}") { Description = spec.Purpose, HelpName = spec.Default.Length == 0 ? "value" : spec.Default }),
    ];

    /// <summary>What the server would read from this command line, the environment and the settings file.</summary>
    /// <exception cref="OptionException">As the server would end with.</exception>
    internal static EstatOptions Bind(ParseResult parsed, IReadOnlyList<Option> options) => Bind(
    [
        .. options.OfType<Option<string?>>().Where(option => parsed.GetResult(option) is not null)
            .Select(option => $"{option.Name}={parsed.GetValue(option)}"),
    ]);

    /// <inheritdoc cref="Bind(ParseResult, IReadOnlyList{Option})"/>
    internal static EstatOptions Bind(params string[] args)
    {
        IEnumerable<KeyValuePair<string, string?>> environment =
            Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                .Select(pair => new KeyValuePair<string, string?>((string)pair.Key, pair.Value as string));
        return IsOfCluster ? OptionTable.BindCluster(args, environment, SettingsFile) : OptionTable.Bind(args, environment, SettingsFile);
    }
}
