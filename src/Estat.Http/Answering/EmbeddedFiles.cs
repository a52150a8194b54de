// Files that are part of the assembly, answered below a path: what a page of Estat's is made of.
namespace Estat.Http.Answering;

/// <summary>
/// Embedded resources as a <see cref="Page"/>. Browsers keep them, and ask each time whether they are still the same: after an upgrade no page is
/// made of two versions.
/// </summary>
/// <param name="path">Where it stands, such as <c>/console</c>; the path itself is <c>index.html</c>.</param>
/// <param name="folder">How the names of its resources begin, such as <c>console/</c>.</param>
internal sealed class EmbeddedFiles(string path, string folder)
{
    private const string Index = "index.html";

    private static readonly Problem NotFound = Problem.Of(StatusCodes.Status404NotFound, "There is no such file.");

    private readonly Dictionary<string, CachedAnswer> _files = Resource.Names
        .Where(name => name.StartsWith(folder, StringComparison.Ordinal))
        .ToDictionary(
            name => name[folder.Length..],
            name => new CachedAnswer(TypeOf(name), "no-cache", isForOtherOrigins: false, () => Resource.Read(name)), StringComparer.Ordinal);

    /// <summary>Answers a request for one of them.</summary>
    internal Task HandleAsync(HttpContext context)
    {
        string name = context.Request.Path.Value![path.Length..].TrimStart('/');
        return _files.TryGetValue(name.Length == 0 ? Index : name, out CachedAnswer? file) ? file.HandleAsync(context) : NotFound.WriteAsync(context);
    }

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".html" => "text/html; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
}
