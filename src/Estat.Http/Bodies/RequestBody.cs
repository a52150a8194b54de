// A body that has to be waited for or decoded: read in time, its Content-Encoding undone, both bounded.
using System.Text;
using Estat.Base.Threading;

namespace Estat.Http.Bodies;

/// <summary>The whole body of one request, in pooled memory that is given back when this is disposed of.</summary>
/// <param name="limit">Bytes that it may have, as sent and decoded.</param>
/// <param name="patience">Time that the client may take (<c>BODY_TIMEOUT</c>).</param>
/// <param name="memory">What its memory is taken from; null: nothing counts it.</param>
internal sealed class RequestBody(int limit, TimeSpan patience, RequestMemory? memory = null) : IDisposable
{
    private BodyBuffer _body = new(limit, memory);

    /// <summary>What was read, decoded. Valid until disposal, and until it is transcoded.</summary>
    internal ReadOnlySpan<byte> Bytes => _body.Bytes;

    /// <summary>The same, for who has to keep it beyond a call.</summary>
    internal ReadOnlyMemory<byte> Memory => _body.Segment;

    /// <summary>Bytes of the budget that it holds.</summary>
    internal int Charged => _body.Charged;

    /// <summary>Reads the body to its end or to the limit. An empty one is never broken, whatever its coding.</summary>
    /// <exception cref="InvalidDataException">It is not what its coding says, or cut off.</exception>
    /// <exception cref="OperationCanceledException">It did not end in time or stalled, or its client went away.</exception>
    internal async ValueTask<BodyOutcome> ReadAsync(HttpContext context, Coding coding)
    {
        BodyOutcome outcome;
        using (var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted))
        {
            ending.CancelAfter(patience);
            using var pace = new BodyPace(ending, patience, () => memory is { IsScarce: true }, TimeProvider.System);
            outcome = await _body.ReadAsync(context.Request.BodyReader, pace, ending.Token).ConfigureAwait(false);
        }

        if (coding != Coding.Identity && outcome == BodyOutcome.Whole && !_body.Bytes.IsEmpty)
        {
            await PoolThread.Switch(); // decoding would keep a thread that polls sockets
            outcome = Replace(ContentCoding.Slack, decoded => ContentCoding.Decode(coding, _body.Segment, decoded));
        }

        return outcome;
    }

    /// <summary>Makes UTF-8 of a text in another charset.</summary>
    /// <param name="charset">What it is in.</param>
    /// <param name="from">Where it begins, behind a byte order mark.</param>
    internal BodyOutcome Transcode(Encoding charset, int from) => Replace(0, text =>
    {
        using Stream stream = Encoding.CreateTranscodingStream(
            new MemoryStream(_body.Segment.Array!, from, _body.Segment.Count - from), charset, Charset.Utf8);
        return text.ReadFrom(stream);
    });

    public void Dispose() => _body.Dispose();

    // The memory of the old one goes back, however it ends.
    private BodyOutcome Replace(int slack, Func<BodyBuffer, BodyOutcome> make)
    {
        var made = new BodyBuffer(limit + slack, memory);
        try
        {
            BodyOutcome outcome = make(made);
            return outcome == BodyOutcome.Whole && made.Bytes.Length > limit ? BodyOutcome.TooLarge : outcome;
        }
        finally
        {
            _body.Dispose();
            _body = made;
        }
    }
}
