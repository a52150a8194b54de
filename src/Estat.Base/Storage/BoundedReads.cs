// An answer's body as it comes in, each read with a time limit.
using Estat.Base.Threading;

namespace Estat.Base.Storage;

/// <summary>
/// A download may take as long as it is large, but a store that stops sending is given up after a while. Errors come out as
/// <see cref="StorageException"/>. Owns the answer.
/// </summary>
internal sealed class BoundedReads(IDisposable answer, Stream body, string what, TimeSpan longest, TimeProvider time) : ReadOnceStream
{
    /// <inheritdoc/>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        using var timeout = new CancellationTokenSource(longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            return await body.ReadAsync(buffer, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StorageException(StorageFailure.Transient, $"{what}: the store sent nothing for S3_TIMEOUT", error);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            cancellationToken.ThrowIfCancellationRequested();
            throw new StorageException(StorageFailure.Transient, $"{what}: {error.GetBaseException().Message.TrimEnd('.')}", error);
        }
        finally
        {
            await PoolThread.Switch(); // unpacking and searching what came is no work for a thread that polls sockets
        }
    }

    /// <inheritdoc/>
    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("read it asynchronously");

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            body.Dispose();
            answer.Dispose();
        }

        base.Dispose(disposing);
    }
}
