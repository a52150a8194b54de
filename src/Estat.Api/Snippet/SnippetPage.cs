// /estat.js: what a web page loads to send events. Its source is estat.source.js, beside this.
using Estat.Api.Http;

namespace Estat.Api.Snippet;

/// <summary>Serves the minified snippet, which is part of the assembly.</summary>
internal static class SnippetPage
{
    internal const string Path = "/estat.js";

    private const string Resource = "estat.min.js";

    // Its address is the same in each version: within an hour everybody has the new one.
    private static readonly TimeSpan MaxAge = TimeSpan.FromHours(1);

    internal static Page Create() => new(Path, new CachedAnswer("text/javascript; charset=utf-8", MaxAge, Read).HandleAsync, IsOpen: true);

    private static byte[] Read()
    {
        using Stream resource = typeof(SnippetPage).Assembly.GetManifestResourceStream(Resource)!;
        using var bytes = new MemoryStream();
        resource.CopyTo(bytes);
        return bytes.ToArray();
    }
}
