// Which request goes where: the paths of what the node does; the others are in OperatorRouter.
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using Estat.Base.Threading;
using Estat.Http.Answering;
using Estat.Http.Connections;

namespace Estat.Http.Routing;

/// <summary>
/// The one request delegate. It matches paths itself: a table of a few fixed paths, made at the start, needs no routing middleware on the way of
/// every event. However a request ends, its connection's seat ends with it.
/// </summary>
/// <param name="routes">Who handles which path: exact paths, by case.</param>
/// <param name="trees">Who handles the paths below a first segment, such as <c>/campaigns</c>.</param>
/// <param name="operators">Handles all other paths.</param>
internal sealed class Router(
    IReadOnlyDictionary<string, PathHandler> routes, IReadOnlyDictionary<string, PathHandler> trees, OperatorRouter operators)
{
    private readonly FrozenDictionary<string, PathHandler> _routes = routes.ToFrozenDictionary(StringComparer.Ordinal);

    private readonly FrozenDictionary<string, PathHandler>.AlternateLookup<ReadOnlySpan<char>> _trees =
        trees.ToFrozenDictionary(StringComparer.Ordinal).GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Handles any request.</summary>
    internal Task HandleAsync(HttpContext context)
    {
        ConnectionSeat? seat = ConnectionSeat.Of(context);
        if (seat?.TryBegin() == false)
        {
            context.Abort(); // it was just taken for idle: nobody has read the request, and its client may send it again
            return Task.CompletedTask;
        }

        return ThreadTurns.MayStay(context) ? RouteAsync(context, seat) : SwitchAndRouteAsync(context, seat);
    }

    private async Task SwitchAndRouteAsync(HttpContext context, ConnectionSeat? seat)
    {
        await PoolThread.Switch();
        await RouteAsync(context, seat).ConfigureAwait(false);
    }

    // What throws here has not been handed on to anybody who would end the seat.
    private Task RouteAsync(HttpContext context, ConnectionSeat? seat)
    {
        try
        {
            if (context.Request.ContentLength is null)
            {
                Http10.EndAfterChunks(context);
            }

            return context.Request.Path.Value is { } path && (_routes.TryGetValue(path, out PathHandler? handle) || TryFindTree(path, out handle))
                ? handle(context, seat)
                : ConnectionSeat.EndAfterAsync(seat, operators.HandleAsync(context));
        }
        catch (Exception error)
        {
            seat?.End();
            return Task.FromException(error);
        }
    }

    private bool TryFindTree(string path, [NotNullWhen(true)] out PathHandler? handle)
    {
        int end = path.Length > 1 ? path.IndexOf('/', 1) : -1;
        handle = null;
        return end > 0 && _trees.TryGetValue(path.AsSpan(0, end), out handle);
    }
}
