// What HTTP/1.0 does not know.
namespace Estat.Http.Answering;

/// <summary>
/// HTTP/1.0 has no chunks. A proxy that speaks it may have passed them on without understanding them, and so see the end of such a request in another
/// place: nothing behind it on this connection can be believed to be a request (RFC 9112, 6.1).
/// </summary>
internal static class Http10
{
    /// <summary>Ends the connection with the answer to such a request.</summary>
    internal static void EndAfterChunks(HttpContext context)
    {
        if (HttpProtocol.IsHttp10(context.Request.Protocol) && context.Request.Headers.TransferEncoding.Count > 0)
        {
            context.Response.Headers.Connection = "close";
        }
    }
}
