// POST and DELETE /admin/session: the console's way in, and out.
using System.Net.Mime;
using System.Text;
using System.Text.Json;
using Estat.Base.Threading;
using Estat.Http.Answering;
using Estat.Http.Bodies;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Access;

/// <summary>
/// Takes the token as JSON from a script, which carries <see cref="AdminAccess.ChangeHeader"/>, or as a form from a browser without one, which says
/// by its headers that the form was this node's own.
/// </summary>
internal sealed class SessionEndpoint(AdminAccess access, AdminToken? token, TimeSpan bodyTimeout)
{
    private const int LargestBody = 16 * 1024;
    private const string Home = "/console";

    private static readonly Problem Malformed = Problem.Of(
        StatusCodes.Status400BadRequest, """Send {"token":"…"} as application/json, or token=… as a form.""");

    /// <summary>Handles one request.</summary>
    internal Task HandleAsync(HttpContext context)
    {
        BrowserHeaders.Apply(context);
        if (access.RefuseForeign(context) is { } refusal)
        {
            return refusal;
        }

        if (HttpMethods.IsPost(context.Request.Method))
        {
            return OpenAsync(context);
        }

        if (HttpMethods.IsDelete(context.Request.Method))
        {
            return access.RefuseChange(context) ?? CloseAsync(context);
        }

        return Problem.NotAllowedAsync(context, "POST, DELETE");
    }

    private static bool IsForm(HttpContext context) =>
        context.Request.ContentType is { } type && type.StartsWith(MediaTypeNames.Application.FormUrlEncoded, StringComparison.OrdinalIgnoreCase);

    private async Task OpenAsync(HttpContext context)
    {
        bool isForm = IsForm(context);
        if (!isForm && access.RefuseChange(context) is { } unasked)
        {
            await unasked.ConfigureAwait(false);
            return;
        }

        if (token is null)
        {
            await (Caller.IsOnThisNode(context) ? DoneAsync(context, isForm, Home) : access.RefuseStrangerAsync(context, wasWrong: false, Home))
                .ConfigureAwait(false);
            return;
        }

        (string? shown, string next) = await ReadAsync(context, isForm).ConfigureAwait(false);
        await PoolThread.Switch(); // reading may have gone on on a thread that polls sockets, and a session's key takes long to make
        TimeSpan? wait = access.WaitOf(context);
        Task answer = shown is not null && access.Check(context, shown, wait) ? AcceptAsync(context, isForm, next)
            : shown is null && wait is null ? Malformed.WriteAsync(context)
            : access.RefuseAsync(context, wait, wasWrong: true, next);
        await answer.ConfigureAwait(false);
    }

    private async Task<(string? Token, string Next)> ReadAsync(HttpContext context, bool isForm)
    {
        using var body = new RequestBody(LargestBody, bodyTimeout);
        try
        {
            if (await body.ReadAsync(context, Coding.Identity).ConfigureAwait(false) != BodyOutcome.Whole)
            {
                return (null, Home);
            }

            if (isForm)
            {
                Dictionary<string, StringValues> fields = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body.Bytes));
                return (fields.GetValueOrDefault("token") is [{ } field] ? field.Trim() : null, Local(fields.GetValueOrDefault("next").ToString()));
            }

            using var json = JsonDocument.Parse(Encoding.UTF8.GetString(body.Bytes));
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("token", out JsonElement value)
                && value.ValueKind == JsonValueKind.String ? (value.GetString()!.Trim(), Home) : (null, Home);
        }
        catch (Exception error) when (
            error is JsonException or InvalidOperationException or OperationCanceledException or BadHttpRequestException or IOException)
        {
            // Answered as what it is: no token that could be read. JSON's half surrogate pair is an InvalidOperationException, as is Kestrel's NUL in
            // a trailer; its overflow of a chunk's size is an IOException.
            return (null, Home);
        }
    }

    // A path of this node, and nothing that a browser takes for another one's: "//host", "/\host", "https:…".
    private static string Local(string next) =>
        next is ['/', ..] && next is not ['/', '/' or '\\', ..] && next.All(c => c is > ' ' and < '\x7f' and not '\\') ? next : Home;

    private Task AcceptAsync(HttpContext context, bool isForm, string next)
    {
        context.Response.Cookies.Append(AdminAccess.SessionCookie, token!.OpenSession(), Cookie(context, AdminToken.SessionLength));
        return DoneAsync(context, isForm, next);
    }

    private static Task CloseAsync(HttpContext context)
    {
        context.Response.Cookies.Append(AdminAccess.SessionCookie, "", Cookie(context, TimeSpan.Zero));
        return DoneAsync(context, isForm: false, Home);
    }

    private static Task DoneAsync(HttpContext context, bool isForm, string next)
    {
        context.Response.StatusCode = isForm ? StatusCodes.Status303SeeOther : StatusCodes.Status204NoContent;
        if (isForm)
        {
            context.Response.Headers.Location = next;
        }

        return Task.CompletedTask;
    }

    private static CookieOptions Cookie(HttpContext context, TimeSpan length) => new()
    {
        HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = Caller.IsSecure(context), Path = "/", MaxAge = length,
    };
}
