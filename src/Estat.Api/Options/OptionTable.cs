// All options of the programs, put together from those of their parts: bound, checked and documented (--help, README) from this one place.
using Estat.Base.Access;
using Estat.Base.Options;
using Estat.Collect.Options;
using Estat.Http.Access;
using Estat.Http.Options;
using Estat.Requests.Options;
using Estat.Topics.Options;
using Option = Estat.Base.Options.OptionSpec<Estat.Api.Options.EstatOptions>;

namespace Estat.Api.Options;

/// <summary>Binds <see cref="EstatOptions"/> from <c>--KEY=value</c>, then the environment (with what <c>.env</c> adds to it), then
/// <c>appsettings.json</c>; the first that names a key wins.</summary>
public static class OptionTable
{
    /// <summary>Every option of the standalone server, in the order in which help and README list them.</summary>
    public static IReadOnlyList<Option> All { get; } =
    [
        Serving(["collect", "requests", "topics"]), .. Of(CollectOptionTable.All),
        .. RequestsOptionTable.All.Select(option => option.In<EstatOptions>(o => o.Requests, (o, v) => o with { Requests = v })),
        .. TopicsOptionTable.All.Select(option => option.In<EstatOptions>(o => o.Topics, (o, v) => o with { Topics = v })),
        .. TokenOptionTable.All.Select(option => option.In<EstatOptions>(o => o.Tokens, (o, v) => o with { Tokens = v })),
    ];

    /// <summary>Every option of a cluster's node: those of the standalone server, of which ACK takes more, and its own.</summary>
    public static IReadOnlyList<Option> OfCluster { get; } =
    [
        Serving(["collect"]), .. Of(CollectOptionTable.OfCluster),
        .. ClusterOptionTable.All.Select(option => option.In<EstatOptions>(o => o.Cluster, (o, v) => o with { Cluster = v })),
    ];

    /// <summary>Binds and checks all options.</summary>
    /// <param name="args">The command line: <c>--KEY=value</c> or <c>--KEY value</c>.</param>
    /// <param name="environment">Normally the process' environment.</param>
    /// <param name="settingsFile">Path of a JSON file with the same keys at its top level; need not exist. It may name a cluster node's options:
    /// one file may serve both programs.</param>
    /// <exception cref="OptionException">A key that does not exist, or a value that its option cannot take.</exception>
    public static EstatOptions Bind(string[] args, IEnumerable<KeyValuePair<string, string?>> environment, string settingsFile)
    {
        EstatOptions options = OptionBinding.Bind(All, OfCluster, args, environment, settingsFile);
        CollectOptionTable.RefuseReplica(options.Collect);
        if (options.Serve.Contains("topics"))
        {
            TokenOptionTable.CheckTogether(options.Tokens);
            TopicsOptionTable.CheckTogether(options.Topics);
        }

        if (options.Serve.Contains("requests"))
        {
            TokenOptionTable.CheckTogether(options.Tokens);
            RequestsOptionTable.CheckTogether(options.Requests, options.Http, options.Tokens);
        }

        return CheckTogether(options);
    }

    /// <summary>The same for a cluster's node.</summary>
    /// <inheritdoc cref="Bind"/>
    public static EstatOptions BindCluster(string[] args, IEnumerable<KeyValuePair<string, string?>> environment, string settingsFile)
    {
        EstatOptions options = CheckTogether(OptionBinding.Bind(OfCluster, All, args, environment, settingsFile));
        ClusterOptionTable.CheckTogether(options.Cluster);
        return options;
    }

    private static Option Serving(string[] capabilities)
    {
        string takes = capabilities.Length == 1 ? $"{capabilities[0]}: a cluster's node does nothing else"
            : $"a comma-separated list of {string.Join(", ", capabilities)}";
        return new Option("SERVE", "collect", takes, "What the node does.", (options, text) =>
        {
            string[] named = [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct()];
            return named.Length > 0 && named.All(capabilities.Contains) ? options with { Serve = named }
                : throw OptionTexts.Wrong("SERVE", text, takes);
        });
    }

    private static IReadOnlyList<Option> Of(IReadOnlyList<OptionSpec<CollectOptions>> collect) =>
    [
        .. HttpOptionTable.All.Select(option => option.In<EstatOptions>(o => o.Http, (o, v) => o with { Http = v })),
        .. WriteKeyOptionTable.All.Select(option => option.In<EstatOptions>(o => o.Keys, (o, v) => o with { Keys = v })),
        .. collect.Select(option => option.In<EstatOptions>(o => o.Collect, (o, v) => o with { Collect = v })),
        .. NodeOptionTable.All.Select(option => option.In<EstatOptions>(o => o.Node, (o, v) => o with { Node = v })),
    ];

    private static EstatOptions CheckTogether(EstatOptions options)
    {
        HttpOptionTable.CheckTogether(options.Http);
        CollectOptionTable.CheckTogether(options.Collect);
        return options;
    }
}
