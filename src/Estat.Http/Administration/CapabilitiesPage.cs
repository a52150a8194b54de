// GET /admin/capabilities: what the node does, for who shows only that.
using System.Text;
using Estat.Http.Answering;

namespace Estat.Http.Administration;

/// <summary>The same from start to end.</summary>
/// <param name="names">Names of the capabilities.</param>
internal sealed class CapabilitiesPage(IEnumerable<string> names)
{
    private readonly byte[] _json = Encoding.UTF8.GetBytes(
        $$"""{"capabilities":[{{string.Join(',', names.Select(name => $"\"{name}\""))}}]}""" + "\n");

    /// <summary>The entry.</summary>
    internal Page Page => new(AdminPaths.Capabilities, HandleAsync);

    private Task HandleAsync(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)
            ? TextAnswer.WriteAsync(context, "application/json", _json)
            : Problem.NotAllowedAsync(context, "GET, HEAD");
}
