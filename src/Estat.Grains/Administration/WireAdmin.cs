// Administrative requests and replies as they cross the wire.
using Estat.Http.Administration;

namespace Estat.Grains.Administration;

/// <summary>From the admin API's to the wire's, and back.</summary>
internal static class WireAdmin
{
    // A batch's object is a few MB; what is larger is downloaded where it lies.
    private const int LargestBody = 16 << 20;

    internal static WireAdminRequest ToWire(AdminRequest request) => new(request.Method, request.Path, request.Query, request.Asker);

    internal static AdminReply ToReply(WireAdminReply wire) =>
        new(wire.Status, wire.ContentType) { Detail = wire.Detail, Allow = wire.Allow, FileName = wire.FileName, Body = wire.Body };

    internal static async Task<WireAdminReply> AnswerAsync(IAdminDesk desk, WireAdminRequest request)
    {
        AdminReply reply = await desk.AnswerAsync(
            new AdminRequest(request.Method, request.Path, request.Query, request.Asker), CancellationToken.None);
        AdminReply held = await reply.HeldAsync(LargestBody, CancellationToken.None);
        return new WireAdminReply(held.Status, held.ContentType, held.Detail, held.FileName, held.Body, held.Allow);
    }
}
