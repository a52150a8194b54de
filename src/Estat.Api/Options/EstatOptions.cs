// Every option of a node, by the part that reads it. OptionTable binds, checks and documents them; nothing else reads the environment.
using Estat.Base.Access;
using Estat.Collect.Options;
using Estat.Http.Access;
using Estat.Http.Options;
using Estat.Requests.Options;
using Estat.Topics.Options;

namespace Estat.Api.Options;

/// <summary>A node's options, already checked.</summary>
public sealed record EstatOptions
{
    /// <summary>What the node does: names of capabilities, each once.</summary>
    public IReadOnlyList<string> Serve { get; init; } = ["collect"];

    /// <summary>The listener, requests, and who may ask what.</summary>
    public HttpOptions Http { get; init; } = new();

    /// <summary>The process.</summary>
    public NodeOptions Node { get; init; } = new();

    /// <summary>The write keys, but for the prefixes that they may not name.</summary>
    public WriteKeyOptions Keys { get; init; } = new();

    /// <summary>The same, for whoever opens them.</summary>
    public WriteKeyOptions WriteKeys => Keys with { Prefixes = Collect.Storage.Prefixes };

    /// <summary>Collecting, and where its objects go.</summary>
    public CollectOptions Collect { get; init; } = new();

    /// <summary>Deciding requests.</summary>
    public RequestsOptions Requests { get; init; } = new();

    /// <summary>Messages in topics.</summary>
    public TopicsOptions Topics { get; init; } = new();

    /// <summary>Whose tokens say who a user is.</summary>
    public TokenOptions Tokens { get; init; } = new();

    /// <summary>What only a cluster's nodes have; of no meaning to the standalone server.</summary>
    public ClusterOptions Cluster { get; init; } = new();
}
