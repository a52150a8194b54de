// What problems of some paths say besides.
using System.Text.Json;

namespace Estat.Http.Answering;

/// <summary>A feature of a request: every <see cref="Problem"/> that answers it carries these members too.</summary>
internal interface IProblemMembers
{
    /// <summary>Writes the members into an object that is open.</summary>
    /// <param name="json">Where.</param>
    /// <param name="problem">The answer.</param>
    /// <param name="context">The request.</param>
    void Write(Utf8JsonWriter json, Problem problem, HttpContext context);
}
