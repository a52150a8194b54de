// What the health endpoints ask of a node that keeps events itself.
using Estat.Base.Storage;
using Estat.Collect.Hosting;
using Estat.Http.Health;

namespace Estat.Collect.Http;

/// <summary>A node that keeps events itself.</summary>
internal sealed class EngineHealth(Engine engine) : INodeHealth
{
    /// <inheritdoc/>
    public string? NotReadyBecause => engine.NotReadyBecause;

    /// <inheritdoc/>
    public async Task<SinkFault?> AskSinkAsync() =>
        await engine.AskStorageAsync().ConfigureAwait(false) is { } fault ? new SinkFault(fault.Message, KindOf(fault.Failure)) : null;

    private static string KindOf(StorageFailure failure) => failure switch
    {
        StorageFailure.Refused => "storage refuses",
        StorageFailure.Disk => "the disk that holds the objects is full or fails",
        _ => "storage does not answer, or answers wrongly",
    };
}
