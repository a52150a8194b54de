// Answers of the endpoints for operators.
namespace Estat.Http.Answering;

/// <summary>200 with a body that no cache keeps; without the body for HEAD.</summary>
internal static class TextAnswer
{
    internal static Task WriteAsync(HttpContext context, string contentType, ReadOnlyMemory<byte> body)
    {
        context.Response.ContentType = contentType;
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = "no-store";
        return context.Request.Method == HttpMethods.Head ? Task.CompletedTask : AnswerBody.WriteAsync(context, body, own: body.Length);
    }
}
