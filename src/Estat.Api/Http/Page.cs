// A path beside the collecting ones, health and metrics, and who answers it.
namespace Estat.Api.Http;

/// <summary>One entry of <see cref="OperatorRouter"/>'s table, looked up after the fixed paths.</summary>
/// <param name="Path">Where it begins, such as <c>/console</c>; compared by case, whole segments.</param>
/// <param name="Handle">Answers it. What is for whoever runs the node stands behind <see cref="Access.AdminAccess"/>.</param>
/// <param name="IsTree">Whether it takes the paths below as well.</param>
internal sealed record Page(string Path, RequestDelegate Handle, bool IsTree = false)
{
    /// <summary>Whether this path is its.</summary>
    internal bool Takes(PathString path) => IsTree ? path.StartsWithSegments(Path, StringComparison.Ordinal) : path.Value == Path;
}
