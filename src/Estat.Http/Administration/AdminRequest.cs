// What is asked of a node by the operator, apart from how it came: over HTTP, or from a gateway through the cluster.
namespace Estat.Http.Administration;

/// <summary>A question or an order that has passed the guard of the node that it came to.</summary>
/// <param name="Method">GET, POST or DELETE.</param>
/// <param name="Path">Such as <c>/admin/dlq</c>; decoded.</param>
/// <param name="Query">The raw query, with its question mark; empty without one.</param>
/// <param name="Asker">From where it came, for the log.</param>
public sealed record AdminRequest(string Method, string Path, string Query, string Asker);

/// <summary>The answer: a body, a stream, or an error with advice.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="ContentType">Of the body; of no meaning for an error.</param>
public sealed record AdminReply(int Status, string ContentType) : IAsyncDisposable
{
    /// <summary>What is wrong and what to do; null unless this is an error.</summary>
    public string? Detail { get; init; }

    /// <summary>Methods that the path takes, as the header of a 405 names them; null unless this is one.</summary>
    public string? Allow { get; init; }

    /// <summary>The body, unless it is a stream.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>A body that is too long to be held; its owner is this reply.</summary>
    public Stream? Content { get; init; }

    /// <summary>Length of <see cref="Content"/>, bytes.</summary>
    public long ContentLength { get; init; }

    /// <summary>Name under which it is downloaded; null for what is shown.</summary>
    public string? FileName { get; init; }

    /// <summary>The same with its body in memory, for those who cannot pass a stream on; an error when it is larger than this.</summary>
    /// <param name="most">Bytes.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async Task<AdminReply> HeldAsync(int most, CancellationToken cancellationToken)
    {
        if (Content is null)
        {
            return this;
        }

        await using (this.ConfigureAwait(false))
        {
            if (ContentLength > most)
            {
                return Error(413, $"It has {ContentLength} bytes, and a node passes on at most {most} for another node. Download it from the node "
                    + "itself.");
            }

            byte[] body = new byte[ContentLength];
            await Content.ReadExactlyAsync(body, cancellationToken).ConfigureAwait(false);
            return this with { Content = null, Body = body };
        }
    }

    /// <summary>An error.</summary>
    public static AdminReply Error(int status, string detail) => new(status, "") { Detail = detail };

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => Content?.DisposeAsync() ?? ValueTask.CompletedTask;
}

/// <summary>A node's side of the pages: asked by its own listener, and in a silo by gateways.</summary>
public interface IAdminDesk
{
    /// <summary>Answers; never throws but for cancellation.</summary>
    Task<AdminReply> AnswerAsync(AdminRequest request, CancellationToken cancellationToken);
}
