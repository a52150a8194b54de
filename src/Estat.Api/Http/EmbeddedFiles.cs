// Files that are part of the assembly, answered below a path: what a page of Estat's is made of.
using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Estat.Api.Http;

/// <summary>
/// Embedded resources as a <see cref="Page"/>. A file is read, hashed and compressed when it is first asked for, so that a start pays nothing for it, and
/// kept. Browsers keep it too, and ask each time whether it is still the one (<c>ETag</c>): after an upgrade no page is made of two versions.
/// </summary>
/// <param name="path">Where it stands, such as <c>/console</c>; the path itself is <c>index.html</c>.</param>
/// <param name="folder">How the names of its resources begin, such as <c>console/</c>.</param>
internal sealed class EmbeddedFiles(string path, string folder)
{
    private const string Index = "index.html";

    private static readonly Problem NotFound = Problem.Of(StatusCodes.Status404NotFound, "There is no such file.");

    private readonly Dictionary<string, Lazy<EmbeddedFile>> _files = Assembly.GetExecutingAssembly().GetManifestResourceNames()
        .Where(name => name.StartsWith(folder, StringComparison.Ordinal))
        .ToDictionary(name => name[folder.Length..], name => new Lazy<EmbeddedFile>(() => EmbeddedFile.Read(name)), StringComparer.Ordinal);

    /// <summary>Answers a request for one of them.</summary>
    internal Task HandleAsync(HttpContext context)
    {
        if (context.Request.Method != HttpMethods.Get && context.Request.Method != HttpMethods.Head)
        {
            return OperatorRouter.NotAllowedAsync(context, "GET, HEAD");
        }

        string name = context.Request.Path.Value![path.Length..].TrimStart('/');
        return _files.TryGetValue(name.Length == 0 ? Index : name, out Lazy<EmbeddedFile>? file)
            ? file.Value.WriteAsync(context)
            : NotFound.WriteAsync(context);
    }

    private sealed record EmbeddedFile(string ContentType, string Tag, byte[] Plain, byte[] Gzip)
    {
        internal static EmbeddedFile Read(string resource)
        {
            using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(resource)!;
            byte[] plain = new byte[stream.Length];
            stream.ReadExactly(plain);
            using var compressed = new MemoryStream();
            using (var gzip = new GZipStream(compressed, CompressionLevel.SmallestSize))
            {
                gzip.Write(plain);
            }

            // Weak: the same file goes out plain or compressed.
            return new EmbeddedFile(TypeOf(resource), $"W/\"{Convert.ToHexString(SHA256.HashData(plain).AsSpan(0, 12))}\"", plain, compressed.ToArray());
        }

        internal Task WriteAsync(HttpContext context)
        {
            IHeaderDictionary headers = context.Response.Headers;
            headers.ETag = Tag;
            headers.CacheControl = "no-cache";
            headers.Vary = HeaderNames.AcceptEncoding;
            if (context.Request.Headers.IfNoneMatch.Contains(Tag))
            {
                context.Response.StatusCode = StatusCodes.Status304NotModified;
                return Task.CompletedTask;
            }

            bool compressed = TakesGzip(context);
            if (compressed)
            {
                headers.ContentEncoding = "gzip";
            }

            byte[] body = compressed ? Gzip : Plain;
            context.Response.ContentType = ContentType;
            context.Response.ContentLength = body.Length;
            return context.Request.Method == HttpMethods.Head ? Task.CompletedTask : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
        }

        private static bool TakesGzip(HttpContext context) =>
            context.Request.GetTypedHeaders().AcceptEncoding.Any(coding => coding.Value == "gzip" && coding.Quality is not 0);

        private static string TypeOf(string name) => Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml",
            _ => "text/plain; charset=utf-8",
        };
    }
}
