// A path beside the collecting ones, health and metrics, and who answers it.
namespace Estat.Http.Answering;

/// <summary>One entry of the operator's table of paths, looked up after the fixed ones.</summary>
/// <param name="Path">Where it begins, such as <c>/console</c>; compared by case, whole segments.</param>
/// <param name="Handle">Answers it. The router lets only the operator through to it.</param>
/// <param name="IsTree">Whether it takes the paths below as well.</param>
/// <param name="IsOpen">Whether it is for everybody: then nothing stands before it.</param>
internal sealed record Page(string Path, RequestDelegate Handle, bool IsTree = false, bool IsOpen = false)
{
    /// <summary>Whether this path is its.</summary>
    internal bool Takes(PathString path) => IsTree ? path.StartsWithSegments(Path, StringComparison.Ordinal) : path.Value == Path;
}
