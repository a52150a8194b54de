// How bodies are read that have to be waited for or decoded: their limits, and whose memory they are charged to.
using Estat.Api.ClientAddress;
using Estat.Api.Options;

namespace Estat.Api.Http;

/// <summary>Makes a <see cref="RequestBody"/> for a request. All of a node's share one <c>INFLIGHT_BYTES</c>.</summary>
internal sealed class RequestBodies(EstatOptions options, HeapRelief? relief = null)
{
    private readonly MemoryBudget _budget = new(options.Http.InflightBytes, relief);

    /// <summary>Bytes that requests in progress may hold together.</summary>
    internal long Budget => _budget.Total;

    /// <summary>Bytes of the largest event.</summary>
    internal int LargestEvent { get; } = options.Collect.MaxBodySize;

    /// <summary>For one event.</summary>
    internal RequestBody Single(HttpContext context) => new(options.Collect.MaxBodySize, options.Http.BodyTimeout, MemoryFor(context));

    /// <summary>For many.</summary>
    /// <param name="context">The request.</param>
    /// <param name="memory">What else it needs is to be taken from.</param>
    internal RequestBody Batch(HttpContext context, out RequestMemory memory)
    {
        memory = MemoryFor(context);
        return new RequestBody(options.Collect.MaxBatchBodySize, options.Http.BodyTimeout, memory);
    }

    private RequestMemory MemoryFor(HttpContext context) => _budget.For(context.Features.Get<Peer>()?.AddressOf(context.Request.Headers) ?? 0);
}
