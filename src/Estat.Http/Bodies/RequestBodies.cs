// How bodies are read that have to be waited for or decoded: their limits, and whose memory they are charged to.
using Estat.Http.ClientAddress;
using Estat.Http.Options;

namespace Estat.Http.Bodies;

/// <summary>Makes a <see cref="RequestBody"/> for a request. All of a node's share one <c>INFLIGHT_BYTES</c>.</summary>
/// <param name="options">Memory and time for them.</param>
/// <param name="largestEvent">Bytes of one event.</param>
/// <param name="largestBatch">Bytes of many.</param>
/// <param name="relief">Is told of bodies that held much memory.</param>
internal sealed class RequestBodies(HttpOptions options, int largestEvent, int largestBatch, HeapRelief? relief = null)
{
    private readonly MemoryBudget _budget = new(options.InflightBytes, relief);

    /// <summary>Bytes that requests in progress may hold together.</summary>
    internal long Budget => _budget.Total;

    /// <summary>Bytes of the largest event.</summary>
    internal int LargestEvent { get; } = largestEvent;

    /// <summary>For one event.</summary>
    internal RequestBody Single(HttpContext context) => new(LargestEvent, options.BodyTimeout, MemoryFor(context));

    /// <summary>For many.</summary>
    /// <param name="context">The request.</param>
    /// <param name="memory">What else it needs is to be taken from.</param>
    internal RequestBody Batch(HttpContext context, out RequestMemory memory)
    {
        memory = MemoryFor(context);
        return new RequestBody(largestBatch, options.BodyTimeout, memory);
    }

    private RequestMemory MemoryFor(HttpContext context) => _budget.For(context.Features.Get<Peer>()?.AddressOf(context.Request.Headers) ?? 0);
}
