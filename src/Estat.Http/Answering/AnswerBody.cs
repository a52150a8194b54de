// How every answer's body leaves: in slices, so that one that nobody reads holds one of them, whatever its size.
using System.Buffers;
using Estat.Http.Bodies;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Answering;

/// <summary>
/// Kestrel takes whatever it is handed into its own memory before it waits for the client. So a body is handed over by the slice, and one that has to
/// wait is charged to <see cref="UnreadMemory"/> until the client has read on.
/// </summary>
internal static class AnswerBody
{
    /// <summary>Bytes at a time.</summary>
    internal const int Slice = 8 * 1024;

    // What stands around an answer that waits: Kestrel's stream with its features and buffers, and ours. Measured: docs/security.md.
    private const int Around = 16 * 1024;

    /// <summary>Writes it, and goes on when all of it is on its way.</summary>
    /// <param name="context">The request.</param>
    /// <param name="body">The body; not changed meanwhile.</param>
    /// <param name="own">Bytes of it that are this answer's alone, and so are held as long as it waits.</param>
    internal static Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> body, int own = 0) =>
        WriteAsync(context, body, own, context.RequestAborted);

    /// <inheritdoc cref="WriteAsync(HttpContext, ReadOnlyMemory{byte}, int)"/>
    internal static Task WriteAsync(HttpContext context, ReadOnlyMemory<byte> body, int own, CancellationToken cancellationToken)
    {
        if (body.Length > Slice)
        {
            return WriteSlicesAsync(context, body, own, cancellationToken);
        }

        ValueTask writing = context.Response.Body.WriteAsync(body, cancellationToken);
        return writing.IsCompletedSuccessfully ? Task.CompletedTask : WaitAsync(context, writing.AsTask(), own);
    }

    /// <summary>Writes what a stream holds to its end, a slice at a time.</summary>
    /// <param name="context">The request.</param>
    /// <param name="body">The body.</param>
    internal static async Task CopyAsync(HttpContext context, Stream body)
    {
        byte[] slice = ArrayPool<byte>.Shared.Rent(Slice);
        try
        {
            for (int read; (read = await body.ReadAsync(slice.AsMemory(0, Slice), context.RequestAborted).ConfigureAwait(false)) > 0;)
            {
                await WriteAsync(context, slice.AsMemory(0, read), own: Slice).ConfigureAwait(false);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(slice);
        }
    }

    private static async Task WriteSlicesAsync(HttpContext context, ReadOnlyMemory<byte> body, int own, CancellationToken cancellationToken)
    {
        while (!body.IsEmpty)
        {
            ReadOnlyMemory<byte> slice = body[..Math.Min(Slice, body.Length)];
            body = body[slice.Length..];
            ValueTask writing = context.Response.Body.WriteAsync(slice, cancellationToken);
            await (writing.IsCompletedSuccessfully ? Task.CompletedTask : WaitAsync(context, writing.AsTask(), own)).ConfigureAwait(false);
        }
    }

    private static async Task WaitAsync(HttpContext context, Task writing, int own)
    {
        using UnreadWait? wait = writing.IsCompleted ? null
            : context.Features.Get<UnreadConnection>()?.Begin(Around + Slice + own + HeadersOf(context.Request));
        await writing.ConfigureAwait(false);
    }

    /// <summary>
    /// What a request's headers hold: two bytes a character, and more than one was sent for over HTTP/2, whose header table makes one of many.
    /// </summary>
    internal static int HeadersOf(HttpRequest request)
    {
        int characters = (2 * request.QueryString.Value?.Length ?? 0) + (request.Path.Value?.Length ?? 0);
        foreach ((string name, StringValues values) in request.Headers)
        {
            characters += name.Length;
            foreach (string? value in values)
            {
                characters += value?.Length ?? 0;
            }
        }

        return 2 * characters;
    }
}
