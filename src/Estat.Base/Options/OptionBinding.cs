// From --KEY=value, the environment and appsettings.json to a record of options.
using System.Text;
using Microsoft.Extensions.Configuration;

namespace Estat.Base.Options;

/// <summary>The first that names an option wins: the command line, then the environment, then the file.</summary>
public static class OptionBinding
{
    /// <summary>Binds options that are checked one by one.</summary>
    /// <param name="specs">The program's options.</param>
    /// <param name="known">Those that the file may name besides: it may serve several programs.</param>
    /// <param name="args">The command line: <c>--KEY=value</c> or <c>--KEY value</c>.</param>
    /// <param name="environment">Normally the process' environment.</param>
    /// <param name="settingsFile">Path of a JSON file with the same keys at its top level; need not exist.</param>
    /// <exception cref="OptionException">A key that does not exist, or a value that its option cannot take.</exception>
    public static TOptions Bind<TOptions>(
        IReadOnlyList<OptionSpec<TOptions>> specs, IReadOnlyList<OptionSpec<TOptions>> known, string[] args,
        IEnumerable<KeyValuePair<string, string?>> environment, string settingsFile)
        where TOptions : new()
    {
        CheckArguments(specs, args);
        IConfigurationRoot configuration;
        try
        {
            configuration = new ConfigurationBuilder()
                .AddJsonFile(Path.GetFullPath(settingsFile), optional: true, reloadOnChange: false)
                // Only what is an option: an environment may hold names that differ in case alone (http_proxy and HTTP_PROXY), configuration may not.
                .AddInMemoryCollection(
                    environment.Where(pair => !string.IsNullOrWhiteSpace(pair.Value)
                        && specs.Any(option => option.Covers(pair.Key, StringComparison.Ordinal) && (!option.IsFamily || IsFlat(pair.Key)))))
                .AddCommandLine(args)
                .Build();
        }
        catch (InvalidDataException error)
        {
            throw new OptionException($"{settingsFile}: not readable as JSON ({error.GetBaseException().Message.TrimEnd('.')}).");
        }

        RefuseUnknown([.. specs, .. known], settingsFile);
        var options = new TOptions();
        foreach (OptionSpec<TOptions> option in specs)
        {
            foreach (string name in NamesOf(option, configuration))
            {
                string? text = configuration[name]?.Trim();
                if (!string.IsNullOrEmpty(text))
                {
                    options = option.Set(options, name, text);
                }
            }
        }

        return options;
    }

    /// <summary>The text of <c>--help</c>, without the usage line.</summary>
    /// <param name="specs">The program's options.</param>
    public static string Help<TOptions>(IReadOnlyList<OptionSpec<TOptions>> specs)
    {
        ArgumentNullException.ThrowIfNull(specs);
        var text = new StringBuilder();
        foreach (OptionSpec<TOptions> option in specs)
        {
            text.Append("  ").AppendLine(option.Name);
            text.Append("      ").AppendLine(option.Purpose);
            text.Append("      takes ").Append(option.Takes);
            text.AppendLine(option.Default.Length == 0 ? "; not set by default" : $"; default {option.Default}");
        }

        return text.ToString();
    }

    // Of a family those that somebody gave.
    private static IEnumerable<string> NamesOf<TOptions>(OptionSpec<TOptions> option, IConfigurationRoot configuration) => option.IsFamily
        ? configuration.GetChildren().Select(section => section.Key).Where(name => option.Covers(name, StringComparison.OrdinalIgnoreCase))
        : [option.Name];

    // Configuration takes another name for a path.
    private static bool IsFlat(string name) => !name.Contains(':', StringComparison.Ordinal);

    private static void CheckArguments<TOptions>(IReadOnlyList<OptionSpec<TOptions>> specs, string[] args)
    {
        for (int i = 0; i < args.Length; i++)
        {
            string argument = args[i];
            int equals = argument.IndexOf('=', StringComparison.Ordinal);
            string key = (equals < 0 ? argument : argument[..equals]).TrimStart('-');
            if (!argument.StartsWith("--", StringComparison.Ordinal)
                || !specs.Any(option => option.Covers(key, StringComparison.OrdinalIgnoreCase)))
            {
                throw new OptionException($"{argument}: no such option. Write options as --KEY=value; --help lists them.");
            }

            if (equals < 0 && (++i >= args.Length || args[i].StartsWith("--", StringComparison.Ordinal)))
            {
                throw new OptionException($"{argument}: has no value; write {argument}=value.");
            }
        }
    }

    // A name that is misspelt would otherwise be an option that nobody set.
    private static void RefuseUnknown<TOptions>(IReadOnlyList<OptionSpec<TOptions>> known, string settingsFile)
    {
        string path = Path.GetFullPath(settingsFile);
        if (!File.Exists(path))
        {
            return;
        }

        foreach (IConfigurationSection section in new ConfigurationBuilder().AddJsonFile(path, optional: true, reloadOnChange: false).Build()
            .GetChildren())
        {
            if (!known.Any(option => option.Covers(section.Key, StringComparison.OrdinalIgnoreCase)))
            {
                throw new OptionException($"{settingsFile}: {section.Key}: no such option. --help lists them.");
            }
        }
    }
}
