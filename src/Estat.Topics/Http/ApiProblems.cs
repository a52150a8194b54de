// What problems below /api say besides, as clients of the API expect it.
using System.Text.Json;
using Estat.Base.Options;
using Estat.Http.Answering;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary><c>error</c>, <c>timestamp</c> and <c>path</c>.</summary>
/// <param name="time">The clock.</param>
internal sealed class ApiProblems(TimeProvider time) : IProblemMembers
{
    /// <inheritdoc/>
    public void Write(Utf8JsonWriter json, Problem problem, HttpContext context)
    {
        json.WriteString("error", problem.Detail);
        json.WriteString("timestamp", MomentText.ToText(time.GetUtcNow()));
        json.WriteString("path", context.Request.Path.Value);
    }
}
