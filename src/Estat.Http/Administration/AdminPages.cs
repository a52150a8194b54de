// The pages of docs/admin-api.md that show and change a node's state, as entries of OperatorRouter's table.
using System.Text;
using Estat.Http.Answering;
using Estat.Http.ClientAddress;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Administration;

/// <summary>Finds the node that is meant, and turns its reply into HTTP.</summary>
internal sealed class AdminPages
{
    private const string NodeParameter = "node";

    private readonly IAdminDesk _desk;
    private readonly NodeDirectory _nodes;
    private readonly LiveEndpoint _live;
    private readonly IReadOnlyList<Page> _own;

    /// <param name="desk">Answers for this node.</param>
    /// <param name="nodes">Knows the others.</param>
    /// <param name="own">Pages of what the node does that the desk does not answer: streams.</param>
    /// <param name="trees">Paths of what the node does that the desk answers, with all below them.</param>
    /// <param name="stopping">Completes when the node begins to drain.</param>
    internal AdminPages(IAdminDesk desk, NodeDirectory nodes, IReadOnlyList<Page> own, IReadOnlyList<string> trees, Task stopping)
    {
        _own = [.. trees.Select(path => new Page(path, AnswerAsync, IsTree: true)), .. own];
        _desk = desk;
        _nodes = nodes;
        _live = new LiveEndpoint(nodes, stopping);
    }

    /// <summary>The entries; the router puts the guard before them.</summary>
    internal IReadOnlyList<Page> All =>
    [
        new(AdminPaths.State, AnswerAsync),
        new(AdminPaths.Nodes, NodesAsync),
        new(AdminPaths.Live, LiveAsync),
        .. _own,
    ];

    private async Task NodesAsync(HttpContext context)
    {
        if (!IsGet(context))
        {
            await Problem.NotAllowedAsync(context, "GET, HEAD").ConfigureAwait(false);
            return;
        }

        NodesReading nodes = await _nodes.All.LatestAsync().WaitAsync(context.RequestAborted).ConfigureAwait(false);
        await TextAnswer.WriteAsync(context, "application/json", nodes.Json).ConfigureAwait(false);
    }

    // Streams have no end, so there is no HEAD of one.
    private Task LiveAsync(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method) ? _live.HandleAsync(context) : Problem.NotAllowedAsync(context, "GET");

    private async Task AnswerAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        string asker = Encoding.ASCII.GetString(context.Features.Get<Peer>()!.ClientOf(request.Headers));
        string method = HttpMethods.IsHead(request.Method) ? HttpMethods.Get : request.Method;
        var asked = new AdminRequest(method, request.Path.Value ?? "", request.QueryString.Value ?? "", asker);
        await using AdminReply reply = await AskAsync(request.Query[NodeParameter], asked, context.RequestAborted).ConfigureAwait(false);
        await WriteAsync(context, reply).ConfigureAwait(false);
    }

    private async Task<AdminReply> AskAsync(StringValues node, AdminRequest asked, CancellationToken cancellationToken)
    {
        if (node.Count == 0 || node[0] is not { Length: > 0 } name || name == _nodes.OwnName)
        {
            return await _desk.AnswerAsync(asked, cancellationToken).ConfigureAwait(false);
        }

        if (await _nodes.FindAsync(name).WaitAsync(cancellationToken).ConfigureAwait(false) is not { } peer)
        {
            return AdminReply.Error(StatusCodes.Status404NotFound, $"There is no node {name}. {AdminPaths.Nodes} lists the nodes.");
        }

        try
        {
            return await peer.AskAsync(asked with { Asker = $"{asked.Asker} through {_nodes.OwnName}" }, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            return AdminReply.Error(
                StatusCodes.Status502BadGateway, $"Node {name} did not answer ({error.Message}). {AdminPaths.Nodes} shows its state.");
        }
    }

    private static async Task WriteAsync(HttpContext context, AdminReply reply)
    {
        HttpResponse response = context.Response;
        if (reply.Detail is { } detail)
        {
            response.Headers.Allow = reply.Allow;
            Problem problem = reply.Status == StatusCodes.Status503ServiceUnavailable ? Problem.Unavailable(detail)
                : Problem.Of(reply.Status, detail);
            await problem.WriteAsync(context).ConfigureAwait(false);
            return;
        }

        if (reply.FileName is { } name)
        {
            response.Headers.ContentDisposition = $"attachment; filename=\"{name}\"";
        }

        if (reply.Content is null)
        {
            response.StatusCode = reply.Status;
            await TextAnswer.WriteAsync(context, reply.ContentType, reply.Body).ConfigureAwait(false);
            return;
        }

        response.ContentType = reply.ContentType;
        response.ContentLength = reply.ContentLength;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await AnswerBody.CopyAsync(context, reply.Content).ConfigureAwait(false);
        }
    }

    private static bool IsGet(HttpContext context) => HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method);
}
