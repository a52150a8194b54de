// Errors as application/problem+json (RFC 9457). All of HTTP's answers to bad or untimely requests are made here.
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

    private static readonly JsonWriterOptions ReadableText = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What went wrong is the node's own fault.</summary>
    internal static readonly Problem OurFault = Of(
        StatusCodes.Status500InternalServerError, "Estat failed on this request. The node's log has the details.");

    // Behind what it is made with: fields are set in their order.
    private static readonly Problem MethodNotAllowed = Of(
        StatusCodes.Status405MethodNotAllowed, "This path does not allow this method. The Allow header names the methods that it allows.");

    private readonly byte[] _body;

    private Problem(int status, string detail, StringValues retryAfter, bool closes)
    {
        Status = status;
        RetryAfter = retryAfter;
        Closes = closes;
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, ReadableText))
        {
            json.WriteStartObject();
            json.WriteString("type", Type);
            json.WriteString("title", ReasonPhrases.GetReasonPhrase(status));
            json.WriteNumber("status", status);
            json.WriteString("detail", detail);
            json.WriteEndObject();
        }

        // A prompt that follows on a terminal begins on its own line.
        stream.WriteByte((byte)'\n');
        _body = stream.ToArray();
    }

    /// <summary>HTTP status.</summary>
    internal int Status { get; }

    private StringValues RetryAfter { get; }

    private bool Closes { get; }

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

    /// <summary>Answers the request, with the whole seconds after which it would succeed.</summary>
    internal Task WriteAsync(HttpContext context, TimeSpan retryAfter)
    {
        if (!context.Response.HasStarted)
        {
            context.Response.Headers.RetryAfter = Math.Max(1, (long)Math.Ceiling(retryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        }

        return WriteAsync(context);
    }

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

        response.StatusCode = Status;
        response.ContentType = ContentType;
        response.ContentLength = _body.Length;
        if (RetryAfter.Count > 0)
        {
            response.Headers.RetryAfter = RetryAfter;
        }

        if (Closes)
        {
            Close(context);
        }

        return context.Request.Method == HttpMethods.Head ? Task.CompletedTask : AnswerBody.WriteAsync(context, _body);
    }
}
