// Who may see the operator's pages: docs/admin-api.md, "Who may".
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Estat.Base.Logging;
using Estat.Http.Answering;
using Estat.Http.Options;

namespace Estat.Http.Access;

/// <summary>
/// The one guard. Without ADMIN_TOKEN it lets in who is on the node itself; with it, everybody who shows it and nobody else. What it refuses is
/// counted once; wrong tokens are logged once a minute, never with what was shown.
/// </summary>
internal sealed partial class AdminAccess
{
    /// <summary>The header without which nothing is changed: a page of another origin cannot send it, as no preflight is answered.</summary>
    internal const string ChangeHeader = "X-Estat-Admin";

    /// <summary>The console's session.</summary>
    internal const string SessionCookie = "estat_admin";

    private static readonly TimeSpan BetweenLogs = TimeSpan.FromMinutes(1);

    private static readonly Problem NotAllowed = Problem.Of(
        StatusCodes.Status405MethodNotAllowed, "These pages do not answer OPTIONS, because no page of another origin may use them.");

    private static readonly Problem Foreign = Problem.Of(
        StatusCodes.Status403Forbidden, "A page of another origin sent this request, so the server refused it. Open the page from the console, or "
            + "with a program that is not a browser.");

    private static readonly Problem NoChangeHeader = Problem.Of(
        StatusCodes.Status403Forbidden, $"A request that changes something needs the header {ChangeHeader}: 1. Send it with this header.");

    private static readonly Problem OnlyFromHere = Problem.Of(
        StatusCodes.Status401Unauthorized,
        "This node has no ADMIN_TOKEN, so this page is only for callers on the node itself: over loopback, by a name such as localhost, without a "
        + "proxy. To use it from elsewhere, start the node with ADMIN_TOKEN and send that token.");

    private static readonly Problem NoToken = Problem.Of(
        StatusCodes.Status401Unauthorized, "This page needs the node's ADMIN_TOKEN. Send it as Authorization: Bearer TOKEN, or as the password of "
            + "Authorization: Basic.");

    private readonly AdminToken? _token;
    private readonly Counter<long> _refused;
    private readonly ILogger _logger;
    private readonly FailedAttempts _attempts;
    private readonly TellLimit _wrongTokens;

    /// <param name="options">ADMIN_TOKEN and the limit of a body.</param>
    /// <param name="meter">Where refusals are counted.</param>
    /// <param name="time">The clock of sessions and of failures.</param>
    /// <param name="loggers">Where wrong tokens are told.</param>
    internal AdminAccess(HttpOptions options, Meter meter, TimeProvider time, ILoggerFactory loggers)
    {
        _token = options.AdminToken is null ? null : new AdminToken(options.AdminToken, time);
        _refused = meter.CreateCounter<long>(
            "estat_admin_refused_total", description: "Requests for the operator's pages that were refused (401, 403, 429)");
        _logger = loggers.CreateLogger<AdminAccess>();
        _wrongTokens = new TellLimit(BetweenLogs, time);
        _attempts = new FailedAttempts(time);
        Session = new Page("/admin/session", new SessionEndpoint(this, _token, options.BodyTimeout).HandleAsync, IsOpen: true);
    }

    /// <summary>Where a session is opened and closed; for those whom the guard does not know yet.</summary>
    internal Page Session { get; }

    /// <summary>What stands before <paramref name="next"/>.</summary>
    internal RequestDelegate Guard(RequestDelegate next) => context =>
    {
        BrowserHeaders.Apply(context);
        return RefuseForeign(context) ?? RefuseStranger(context) ?? RefuseChange(context) ?? next(context);
    };

    /// <summary>
    /// Whether the operator asks, on a path that is open to everybody: from the node itself, or by showing the token. A wrong token is a guess here
    /// as elsewhere, and who is turned away for guesses is not listened to.
    /// </summary>
    internal bool IsOperator(HttpContext context)
    {
        if (Caller.IsOnThisNode(context))
        {
            return true;
        }

        return _token is not null
            && (_token.IsSession(context.Request.Cookies[SessionCookie])
                || (Shown(context) is { } shown && Check(context, shown, WaitOf(context))));
    }

    /// <summary>The answer to what a page of another origin asks; null if none did.</summary>
    internal Task? RefuseForeign(HttpContext context)
    {
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            context.Response.Headers.Allow = "GET, HEAD, POST, DELETE";
            return NotAllowed.WriteAsync(context);
        }

        return Caller.IsForeignPage(context) ? RefuseAsync(context, Foreign) : null;
    }

    /// <summary>The answer to a request that changes something and may have been made by a page of another origin; null if it cannot.</summary>
    internal Task? RefuseChange(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) || context.Request.Headers[ChangeHeader] == "1"
            ? null
            : RefuseAsync(context, NoChangeHeader);

    /// <summary>How long the sender's address still has to wait, as too many wrong tokens came from it; null if it has not.</summary>
    internal TimeSpan? WaitOf(HttpContext context) => _attempts.BlockedFor(Caller.AddressOf(context));

    /// <summary>The answer to who showed no right token: 429 where the address has to wait, else 401.</summary>
    /// <param name="context">The request.</param>
    /// <param name="wait">What <see cref="WaitOf"/> said before the token was looked at.</param>
    /// <param name="wasWrong">Whether one was shown.</param>
    /// <param name="next">Where a browser goes once it has a session.</param>
    internal Task RefuseAsync(HttpContext context, TimeSpan? wait, bool wasWrong, string next) =>
        wait is { } left ? RefuseGuesserAsync(context, left, next) : RefuseStrangerAsync(context, wasWrong, next);

    private Task RefuseGuesserAsync(HttpContext context, TimeSpan left, string next)
    {
        int seconds = (int)Math.Ceiling(left.TotalSeconds);
        _refused.Add(1);
        context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (LoginForm.IsFor(context))
        {
            context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            return LoginForm.WriteAsync(context, LoginReason.TooMany, next, Caller.IsExposed(context), seconds);
        }

        return Problem.Of(
            StatusCodes.Status429TooManyRequests,
            $"Too many wrong tokens came from this address. Try again in {seconds} s. The right token and an open session still work.")
                .WriteAsync(context);
    }

    /// <summary>A token was shown: forgives or counts, and says which.</summary>
    /// <param name="context">The request.</param>
    /// <param name="shown">The token.</param>
    /// <param name="wait">What <see cref="WaitOf"/> said: others may have guessed from this address, so the right token opens it all the
    /// same.</param>
    internal bool Check(HttpContext context, string shown, TimeSpan? wait)
    {
        IPAddress address = Caller.AddressOf(context);
        if (wait is not null && !_attempts.MayLook())
        {
            Tell(address);
            return false;
        }

        if (_token!.Is(shown))
        {
            _attempts.Forgive(address);
            return true;
        }

        _attempts.Add(address);
        Tell(address);
        return false;
    }

    /// <summary>401, as a form for a browser.</summary>
    internal Task RefuseStrangerAsync(HttpContext context, bool wasWrong, string next)
    {
        if (_token is not null)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer realm=\"estat\"";
        }

        if (!LoginForm.IsFor(context))
        {
            return RefuseAsync(context, _token is null ? OnlyFromHere : NoToken);
        }

        _refused.Add(1);
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        LoginReason reason = _token is null ? LoginReason.NoToken : wasWrong ? LoginReason.WrongToken : LoginReason.Asked;
        return LoginForm.WriteAsync(context, reason, next, Caller.IsExposed(context));
    }

    // What tells a stranger is asked in the order of its cost; a session is no guess, and is not looked at as one.
    private Task? RefuseStranger(HttpContext context)
    {
        if (_token is null)
        {
            return Caller.IsOnThisNode(context) ? null : RefuseStrangerAsync(context, wasWrong: false, PathOf(context));
        }

        if (_token.IsSession(context.Request.Cookies[SessionCookie]))
        {
            return null;
        }

        TimeSpan? wait = WaitOf(context);
        string? shown = Shown(context);
        return shown is not null && Check(context, shown, wait) ? null : RefuseAsync(context, wait, shown is not null, PathOf(context));
    }

    // Null when no token was shown, which is no guess.
    private static string? Shown(HttpContext context)
    {
        if (context.Request.Headers.Authorization is not [{ } value]
            || !AuthenticationHeaderValue.TryParse(value, out AuthenticationHeaderValue? shown))
        {
            return null;
        }

        string text = shown.Parameter?.Trim() ?? "";
        if (shown.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
        {
            return text;
        }

        if (!shown.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        Span<byte> bytes = new byte[text.Length];
        string pair = Convert.TryFromBase64String(text, bytes, out int length) ? Encoding.UTF8.GetString(bytes[..length]) : "";
        return pair[(pair.IndexOf(':', StringComparison.Ordinal) + 1)..];
    }

    private static string PathOf(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method) ? $"{context.Request.Path.ToUriComponent()}{context.Request.QueryString}" : "/console";

    private Task RefuseAsync(HttpContext context, Problem problem)
    {
        _refused.Add(1);
        return problem.WriteAsync(context);
    }

    private void Tell(IPAddress address)
    {
        if (_wrongTokens.IsDue(1, out long untold))
        {
            LogWrongToken(_logger, address, untold, FailedAttempts.Most, (int)FailedAttempts.Window.TotalSeconds);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Address} sent a wrong ADMIN_TOKEN: {Count} wrong ones since the last such line. The node logs this at most once a minute; "
            + "estat_admin_refused_total counts all. After {Most} wrong tokens within {Seconds} s it answers that address 429 for the same time, "
            + "unless the address sends the right one")]
    private static partial void LogWrongToken(ILogger logger, IPAddress address, long count, int most, int seconds);
}
