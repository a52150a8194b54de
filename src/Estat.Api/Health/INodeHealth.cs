// What the health endpoints ask: the standalone server's engine, a silo, or a gateway's silos.
using Estat.Core.Hosting;

namespace Estat.Api.Health;

/// <summary>How a node is.</summary>
internal interface INodeHealth
{
    /// <summary>Why it takes no events now; null when it does.</summary>
    string? NotReadyBecause { get; }

    /// <summary>Null when that into which its events go answered: the store, or for a gateway a silo; else what is wrong with it.</summary>
    Task<string?> AskSinkAsync();
}

/// <summary>A node that keeps events itself.</summary>
internal sealed class EngineHealth(Engine engine) : INodeHealth
{
    /// <inheritdoc/>
    public string? NotReadyBecause => engine.NotReadyBecause;

    /// <inheritdoc/>
    public Task<string?> AskSinkAsync() => engine.Sink.AskAsync();
}
