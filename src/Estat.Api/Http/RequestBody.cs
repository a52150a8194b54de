// A body that has to be waited for or decoded: read in time, its Content-Encoding undone, both bounded.
using Estat.Core.Hosting;

namespace Estat.Api.Http;

/// <summary>The whole body of one request, in pooled memory that is given back when this is disposed of.</summary>
/// <param name="limit">Bytes that it may have, as sent and decoded.</param>
/// <param name="patience">Time that the client may take (<c>BODY_TIMEOUT</c>).</param>
/// <param name="budget">Where its memory is charged; null: nowhere.</param>
internal sealed class RequestBody(int limit, TimeSpan patience, MemoryBudget? budget = null) : IDisposable
{
    private readonly BodyBuffer _sent = new(limit, budget);
    private readonly BodyBuffer _decoded = new(limit, budget);
    private bool _isDecoded;

    /// <summary>What was read, decoded. Valid until disposal.</summary>
    internal ReadOnlySpan<byte> Bytes => _isDecoded ? _decoded.Bytes : _sent.Bytes;

    /// <summary>Bytes of the budget that it holds.</summary>
    internal int Charged => _isDecoded ? _decoded.Charged : _sent.Charged;

    /// <summary>Reads the body to its end or to the limit. An empty one is never broken, whatever its coding.</summary>
    /// <exception cref="InvalidDataException">It is not what its coding says, or cut off.</exception>
    /// <exception cref="OperationCanceledException">It did not end in time, or its client went away.</exception>
    internal async ValueTask<BodyOutcome> ReadAsync(HttpContext context, Coding coding)
    {
        BodyOutcome outcome;
        using (var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted))
        {
            ending.CancelAfter(patience);
            outcome = await _sent.ReadAsync(context.Request.BodyReader, ending.Token).ConfigureAwait(false);
        }

        if (coding != Coding.Identity && outcome == BodyOutcome.Whole && !_sent.Bytes.IsEmpty)
        {
            await PoolThread.Switch(); // decoding would keep a thread that polls sockets
            outcome = ContentCoding.Decode(coding, _sent.Segment, _decoded);
            _isDecoded = true;
            _sent.Dispose();
        }

        return outcome;
    }

    public void Dispose()
    {
        _sent.Dispose();
        _decoded.Dispose();
    }
}
