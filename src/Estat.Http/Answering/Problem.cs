// Errors as application/problem+json (RFC 9457): how every answer to a bad or untimely request is written. What it says stands with each rule.
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Answering;

/// <summary>One error answer; its body is prepared once.</summary>
internal sealed class Problem
{
    /// <summary>The media type of the answer.</summary>
    internal const string ContentType = "application/problem+json";

    /// <summary>Says that the answer is Estat's own, and not of a proxy or a portal on the way, whose 403 is no refusal of the server's.</summary>
    internal const string Type = "urn:estat:problem";

    /// <summary>The type of a 503 after which nobody knows whether what was sent was taken.</summary>
    internal const string Perhaps = Type + ":perhaps";

    private static readonly JsonWriterOptions ReadableText = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What went wrong is the node's own fault.</summary>
    internal static readonly Problem OurFault = Of(
        StatusCodes.Status500InternalServerError, "Estat failed on this request. The node's log has the details.");

    // Behind what it is made with: fields are set in their order.
    private static readonly Problem MethodNotAllowed = Of(
        StatusCodes.Status405MethodNotAllowed, "This path does not allow this method. The Allow header names the methods that it allows.");

    private readonly byte[] _body;
    private readonly string _detail;
    private readonly string _type;
    private readonly string? _headerName;
    private readonly StringValues _headerValue;

    private Problem(
        int status, string detail, StringValues retryAfter, bool closes, string type = Type, Action<Utf8JsonWriter>? writeMember = null)
    {
        Status = status;
        RetryAfter = retryAfter;
        Closes = closes;
        _detail = detail;
        _type = type;
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, ReadableText))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            json.WriteString("title", ReasonPhrases.GetReasonPhrase(status));
            json.WriteNumber("status", status);
            json.WriteString("detail", detail);
            writeMember?.Invoke(json);
            json.WriteEndObject();
        }

        // A prompt that follows on a terminal begins on its own line.
        stream.WriteByte((byte)'\n');
        _body = stream.ToArray();
    }

    private Problem(Problem problem, string headerName, StringValues headerValue)
    {
        (Status, RetryAfter, Closes, _detail, _type, _body) =
            (problem.Status, problem.RetryAfter, problem.Closes, problem._detail, problem._type, problem._body);
        (_headerName, _headerValue) = (headerName, headerValue);
    }

    /// <summary>HTTP status.</summary>
    internal int Status { get; }

    /// <summary>What went wrong, and what to do.</summary>
    internal string Detail => _detail;

    /// <summary>The whole answer's body; never changed.</summary>
    internal ReadOnlyMemory<byte> Body => _body;

    /// <summary>The <c>Retry-After</c> header; without values when there is none.</summary>
    internal StringValues RetryAfter { get; }

    /// <summary>Whether the connection ends with this answer, where its protocol can say so.</summary>
    internal bool Closes { get; }

    /// <summary>A header that belongs to it beside <c>Retry-After</c>, such as <c>WWW-Authenticate</c>; null when there is none.</summary>
    internal (string Name, StringValues Value)? Header => _headerName is null ? null : (_headerName, _headerValue);

    /// <summary>An error that the client can mend.</summary>
    internal static Problem Of(int status, string detail) => new(status, detail, default, closes: false);

    /// <summary>405, with the methods that would do.</summary>
    internal static Task NotAllowedAsync(HttpContext context, string allowed)
    {
        context.Response.Headers.Allow = allowed;
        return MethodNotAllowed.WriteAsync(context);
    }

    /// <summary>503: try again after a second. A draining node asks to try elsewhere: it closes the connection.</summary>
    internal static Problem Unavailable(string detail, bool closes = false) => new(StatusCodes.Status503ServiceUnavailable, detail, "1", closes);

    /// <summary>The same with a header of its own.</summary>
    internal Problem With(string headerName, StringValues headerValue) => new(this, headerName, headerValue);

    /// <summary>The same of a type of its own, which clients tell it by.</summary>
    /// <param name="type">Begins with <see cref="Type"/>.</param>
    internal Problem Typed(string type) => new(Status, _detail, RetryAfter, Closes, type);

    /// <summary>The same with a member of its own beside the usual ones.</summary>
    internal Problem WithMember(string name, string value) =>
        new(Status, _detail, RetryAfter, Closes, _type, json => json.WriteString(name, value));

    /// <inheritdoc cref="WithMember(string, string)"/>
    internal Problem WithMember(string name, long value) =>
        new(Status, _detail, RetryAfter, Closes, _type, json => json.WriteNumber(name, value));

    /// <summary>A <c>Retry-After</c>: the whole seconds after which a request would succeed, at least 1.</summary>
    internal static StringValues RetryAfterOf(TimeSpan wait) =>
        Math.Max(1, (long)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);

    /// <summary>An error after which the rest of the request is not worth reading.</summary>
    internal static Problem Final(int status, string detail) => new(status, detail, default, closes: true);

    // HTTP/2 has no such header. What is left of one request harms no other there; a node that drains asks for the connection's end by GOAWAY.
    private void Close(HttpContext context)
    {
        if (!HttpProtocol.IsHttp2(context.Request.Protocol))
        {
            context.Response.Headers.Connection = "close";
        }
        else if (Status == StatusCodes.Status503ServiceUnavailable)
        {
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        }
    }

    /// <summary>Answers the request, unless an answer is already on its way.</summary>
    internal Task WriteAsync(HttpContext context)
    {
        HttpResponse response = context.Response;
        if (response.HasStarted)
        {
            context.Abort();
            return Task.CompletedTask;
        }

        ReadOnlyMemory<byte> body = context.Features.Get<IProblemMembers>() is { } members ? Extended(context, members) : _body;
        response.StatusCode = Status;
        response.ContentType = ContentType;
        response.ContentLength = body.Length;
        if (RetryAfter.Count > 0)
        {
            response.Headers.RetryAfter = RetryAfter;
        }

        if (_headerName is not null)
        {
            response.Headers[_headerName] = _headerValue;
        }

        if (Closes)
        {
            Close(context);
        }

        return context.Request.Method == HttpMethods.Head ? Task.CompletedTask : AnswerBody.WriteAsync(context, body);
    }

    // The prepared body without its end, and then the members of this request.
    private byte[] Extended(HttpContext context, IProblemMembers members)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, ReadableText))
        {
            json.WriteStartObject();
            members.Write(json, this, context);
            json.WriteEndObject();
        }

        ReadOnlySpan<byte> own = stream.GetBuffer().AsSpan(1, (int)stream.Length - 1);
        int end = _body.AsSpan().LastIndexOf((byte)'}');
        return own.Length == 1 ? _body : [.. _body.AsSpan(0, end), (byte)',', .. own, (byte)'\n'];
    }
}
