// A silo's pages, for nodes that show the whole cluster.
using Orleans.Services;

namespace Estat.Grains.Administration;

/// <summary>For gateways. Key: 0. A stateless worker: it runs on the silo whose client endpoint the call came to.</summary>
[Alias("estat.IAdminGrain")]
public interface IAdminGrain : IGrainWithIntegerKey
{
    /// <summary>Has the silo answer what its own listener would. An attempt to store may take as long as the store does.</summary>
    [Alias("ask"), ResponseTimeout("00:01:00")]
    Task<WireAdminReply> AskAsync(WireAdminRequest request);
}

/// <summary>The same for silos, addressed by the silo.</summary>
[Alias("estat.IAdminSiloGrain")]
public interface IAdminSiloGrain : IGrainService
{
    /// <inheritdoc cref="IAdminGrain.AskAsync"/>
    [Alias("ask"), ResponseTimeout("00:01:00")]
    Task<WireAdminReply> AskAsync(WireAdminRequest request);
}

/// <summary>A question or an order that has passed the guard of the node that it came to.</summary>
/// <param name="Method">GET, POST or DELETE.</param>
/// <param name="Path">Such as <c>/admin/dlq</c>.</param>
/// <param name="Query">The raw query, with its question mark.</param>
/// <param name="Asker">From where it came, for the log.</param>
[GenerateSerializer, Immutable, Alias("estat.admin-request")]
public sealed record WireAdminRequest(
    [property: Id(0)] string Method, [property: Id(1)] string Path, [property: Id(2)] string Query, [property: Id(3)] string Asker);

/// <summary>The answer.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="ContentType">Of the body.</param>
/// <param name="Detail">What is wrong; null unless this is an error.</param>
/// <param name="FileName">Name under which it is downloaded; null for what is shown.</param>
/// <param name="Body">Bytes.</param>
/// <param name="Allow">Methods that the path takes; null unless this is a 405.</param>
[GenerateSerializer, Immutable, Alias("estat.admin-reply")]
public sealed record WireAdminReply(
    [property: Id(0)] int Status, [property: Id(1)] string ContentType, [property: Id(2)] string? Detail, [property: Id(3)] string? FileName,
    [property: Id(4)] ReadOnlyMemory<byte> Body, [property: Id(5)] string? Allow);
