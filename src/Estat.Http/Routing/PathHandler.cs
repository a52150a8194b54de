// What handles the requests to one path.
using Estat.Http.Connections;

namespace Estat.Http.Routing;

/// <summary>
/// Handles a request. It answers, counts and logs what goes wrong by itself, and ends the request's seat when it is done, which saves another
/// state machine for each request that waits.
/// </summary>
/// <param name="context">The request.</param>
/// <param name="seat">Its connection's seat; null where there is none.</param>
internal delegate Task PathHandler(HttpContext context, ConnectionSeat? seat);
