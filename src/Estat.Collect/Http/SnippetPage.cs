// /estat.js: what a web page loads to send events. Its source is estat.source.js, beside this.
using Estat.Http.Answering;

namespace Estat.Collect.Http;

/// <summary>Serves the minified snippet, which is part of the assembly.</summary>
internal static class SnippetPage
{
    internal const string Path = "/estat.js";

    // Its address is the same in each version: within an hour everybody has the new one.
    private const string AnHour = "public, max-age=3600";

    internal static Page Create() => new(
        Path, new CachedAnswer("text/javascript; charset=utf-8", AnHour, isForOtherOrigins: true, () =>
            Resource.Read("estat.min.js", typeof(SnippetPage).Assembly))
            .HandleAsync,
        IsOpen: true);
}
