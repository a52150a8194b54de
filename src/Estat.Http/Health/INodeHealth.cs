// What the health endpoints ask: the standalone server's engine, a silo, or a gateway's silos.
namespace Estat.Http.Health;

/// <summary>What is wrong with that into which a node's events go.</summary>
/// <param name="Detail">For the operator: what failed, where, and what to look at.</param>
/// <param name="Kind">For everybody else: what kind of failure it is, without a name, a key or a path.</param>
internal sealed record SinkFault(string Detail, string Kind);

/// <summary>How a node is.</summary>
internal interface INodeHealth
{
    /// <summary>Why it takes no events now; null when it does.</summary>
    string? NotReadyBecause { get; }

    /// <summary>Null when that into which its events go answered: the store, or for a gateway a silo; else what is wrong with it.</summary>
    Task<SinkFault?> AskSinkAsync();
}
