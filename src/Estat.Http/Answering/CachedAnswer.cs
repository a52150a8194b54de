// What is the same as long as the process lives: made when it is first asked for, and kept by browsers and, where it is for everybody, by proxies.
using System.IO.Compression;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Estat.Http.Answering;

/// <summary>
/// A document with a tag of its content, plain or as gzip, whichever the client takes. Nothing is read or compressed before the first request, so
/// that a start pays nothing for it.
/// </summary>
/// <param name="contentType">What it is.</param>
/// <param name="cacheControl">Who may keep it, and how long without asking again.</param>
/// <param name="isForOtherOrigins">Whether pages of other origins may use it. Not what stands behind <see cref="Access.AdminAccess"/>.</param>
/// <param name="make">Its bytes; called once.</param>
internal sealed class CachedAnswer(string contentType, string cacheControl, bool isForOtherOrigins, Func<byte[]> make)
{
    private readonly Lazy<Content> _content = new(() => Content.Of(make()));

    /// <summary>Answers GET and HEAD: 200, or 304 to a client that has it already.</summary>
    internal Task HandleAsync(HttpContext context)
    {
        if (context.Request.Method != HttpMethods.Get && context.Request.Method != HttpMethods.Head)
        {
            return Problem.NotAllowedAsync(context, "GET, HEAD");
        }

        Content content = _content.Value;
        IHeaderDictionary headers = context.Response.Headers;
        headers.ETag = content.Tag;
        headers.CacheControl = cacheControl;
        headers.Vary = HeaderNames.AcceptEncoding;
        if (isForOtherOrigins)
        {
            headers.AccessControlAllowOrigin = "*";
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"; // for pages that isolate themselves (Cross-Origin-Embedder-Policy)
        }

        if (Has(context, content.Tag))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        bool compressed = TakesGzip(context);
        if (compressed)
        {
            headers.ContentEncoding = "gzip";
        }

        byte[] body = compressed ? content.Gzip : content.Plain;
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        return context.Request.Method == HttpMethods.Head ? Task.CompletedTask : AnswerBody.WriteAsync(context, body);
    }

    // A proxy that compresses by itself makes a strong tag weak; ours is weak from the start, and compared as such (RFC 9110, 13.1.2).
    private static bool Has(HttpContext context, string tag) =>
        context.Request.GetTypedHeaders().IfNoneMatch.Any(known => known.Tag == "*" || $"W/{known.Tag}" == tag);

    private static bool TakesGzip(HttpContext context) =>
        context.Request.GetTypedHeaders().AcceptEncoding.Any(coding => coding.Value == "gzip" && coding.Quality is not 0);

    private sealed record Content(string Tag, byte[] Plain, byte[] Gzip)
    {
        internal static Content Of(byte[] plain)
        {
            using var compressed = new MemoryStream();
            using (var gzip = new GZipStream(compressed, CompressionLevel.SmallestSize))
            {
                gzip.Write(plain);
            }

            // Weak: the same content goes out plain and compressed.
            return new Content($"W/\"{Convert.ToHexStringLower(SHA256.HashData(plain).AsSpan(0, 12))}\"", plain, compressed.ToArray());
        }
    }
}
