// GET /collect?… and /collect.gif?…: the raw query is the event, for images, mails and redirects that can do no more.
using System.Buffers;
using System.Text;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Collect.Intake;
using Estat.Collect.Options;
using Estat.Collect.Tailing;
using Estat.Http.Access;
using Estat.Http.Answering;
using Microsoft.AspNetCore.Http;

namespace Estat.Collect.Http;

/// <summary>Stores the query as it came, percent signs and all.</summary>
internal sealed class PixelEndpoint(CollectOptions options, IIngest ingest, Envelope envelope, Answers answers, WriteAccess? access, TailHub tail)
{
    // A transparent GIF of one pixel.
    private static readonly byte[] Pixel = Convert.FromBase64String("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7");

    /// <summary>Handles one request.</summary>
    internal async Task HandleAsync(HttpContext context, bool asGif)
    {
        Sender? sender = null;
        if (access?.RefuseUnread(context, out sender) is { } refused)
        {
            await refused.ConfigureAwait(false);
            return;
        }

        if (answers.RefuseUnread(context, ingest, isBatch: false, sender?.Prefix, out AckLevel level) is { } refusal)
        {
            await refusal.ConfigureAwait(false);
            return;
        }

        string query = context.Request.QueryString.Value ?? "";
        query = access is { HasKeys: true } ? KeyText.WithoutKey(query) : query;
        int length = Math.Max(0, query.Length - 1);
        if (length == 0)
        {
            await answers.EmptyAsync(context).ConfigureAwait(false);
            return;
        }

        if (length > options.MaxBodySize)
        {
            await answers.EventTooLargeAsync(context).ConfigureAwait(false);
            return;
        }

        Charge charge = default;
        if (access?.RefuseOver(context, sender, 1, out charge) is { } over)
        {
            await over.ConfigureAwait(false);
            return;
        }

        Ack ack;
        try
        {
            ack = await AcceptAsync(context, query, sender?.Prefix, level).ConfigureAwait(false);
        }
        catch
        {
            charge.OnAnswered(isAccepted: false);
            throw;
        }

        charge.OnAnswered(ack.IsAccepted);
        if (!ack.IsAccepted)
        {
            await answers.RefuseAsync(context, ack.Admission).ConfigureAwait(false);
            return;
        }

        Answers.Acknowledge(context, ack, level);
        context.Response.Headers.CacheControl = "no-store";
        if (asGif)
        {
            context.Response.ContentType = "image/gif";
            context.Response.ContentLength = Pixel.Length;
            await AnswerBody.WriteAsync(context, Pixel).ConfigureAwait(false);
        }
    }

    private async ValueTask<Ack> ShowAsync(ValueTask<Ack> accepting, byte[] watched)
    {
        Ack ack = await accepting.ConfigureAwait(false);
        if (ack.IsAccepted)
        {
            tail.Offer(watched);
        }

        return ack;
    }

    private ValueTask<Ack> AcceptAsync(HttpContext context, string query, string? prefix, AckLevel level)
    {
        // A request target is ASCII: Kestrel refuses anything else.
        byte[] bytes = ArrayPool<byte>.Shared.Rent(query.Length);
        try
        {
            int length = Encoding.ASCII.GetBytes(query.AsSpan(1), bytes);
            byte[]? watched = tail.IsWatched && tail.Chooses() ? TailHub.CopyOf(envelope.Of(context, prefix), bytes.AsSpan(0, length)) : null;
            ValueTask<Ack> accepting = ingest.AcceptAsync(envelope.Of(context, prefix), bytes.AsSpan(0, length), level);
            return watched is null ? accepting : ShowAsync(accepting, watched);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
