// GET /collect?… and /collect.gif?…: the raw query is the event, for images, mails and redirects that can do no more.
using System.Buffers;
using System.Text;
using Estat.Collect.Intake;
using Estat.Http.Access;
using Estat.Http.Answering;
using Estat.Http.Intake;
using Microsoft.AspNetCore.Http;

namespace Estat.Collect.Http;

/// <summary>Stores the query as it came, percent signs and all.</summary>
internal sealed class PixelEndpoint(EventIntake intake)
{
    // A transparent GIF of one pixel.
    private static readonly byte[] Pixel = Convert.FromBase64String("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7");

    /// <summary>Handles one request.</summary>
    internal Task HandleAsync(HttpContext context, bool asGif)
    {
        Refusal? refusal = HttpEvents.Enter(intake, context, isBatch: false, out Entry entry);
        Taken taken = default;
        refusal ??= Accept(new HttpRequestView(context), entry, out taken);
        return refusal is null ? intake.AnswerAsync(new Answer(context, asGif), taken) : HttpAnswers.WriteAsync(context, refusal);
    }

    private Refusal? Accept(HttpRequestView request, Entry entry, out Taken taken)
    {
        string query = request.Query ?? "";
        query = intake.HasKeys ? KeyText.WithoutKey(query) : query;
        ReadOnlySpan<char> text = query.Length > 0 ? query.AsSpan(1) : default;

        // A request target is ASCII: Kestrel refuses anything else.
        byte[] bytes = ArrayPool<byte>.Shared.Rent(text.Length);
        try
        {
            int length = Encoding.ASCII.GetBytes(text, bytes);
            return intake.Accept(request, entry, bytes.AsSpan(0, length), started: 0, out taken);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private readonly struct Answer(HttpContext context, bool asGif) : IEventAnswer
    {
        public Task AcknowledgeAsync(Acknowledgement acknowledgement)
        {
            HttpEvents.Mark(context, acknowledgement);
            context.Response.Headers.CacheControl = "no-store";
            if (!asGif)
            {
                return Task.CompletedTask;
            }

            context.Response.ContentType = "image/gif";
            context.Response.ContentLength = Pixel.Length;
            return AnswerBody.WriteAsync(context, Pixel);
        }

        public Task RefuseAsync(Refusal refusal) => HttpAnswers.WriteAsync(context, refusal);
    }
}
