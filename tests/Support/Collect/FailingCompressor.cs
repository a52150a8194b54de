// gzip that breaks where a test wants it to.
using Estat.Collect.Batching;

namespace Estat.Tests.Support;

/// <summary>A real gzip stream that throws at its n-th write or at its disposal.</summary>
/// <param name="content">Where gzip goes.</param>
/// <param name="failingWrite">Which write throws, from 1; 0: none.</param>
/// <param name="disposal">What its disposal does.</param>
internal sealed class FailingCompressor(Stream content, int failingWrite, FailingCompressor.Disposal disposal) : Stream
{
    private readonly Stream _gzip = BatchEncoder.Gzip(1)(content);
    private int _writes;
    private int _disposals;

    /// <summary>What happens to what the compressor still holds.</summary>
    internal enum Disposal
    {
        /// <summary>It is written, as it should be.</summary>
        Works,

        /// <summary>It is written at the second attempt only.</summary>
        FailsOnce,

        /// <summary>It is gone.</summary>
        Fails,
    }

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Write(byte[] buffer, int offset, int count)
    {
        if (++_writes == failingWrite)
        {
            throw new InvalidOperationException($"write {_writes} fails");
        }

        _gzip.Write(buffer, offset, count);
    }

    public override void Flush() => _gzip.Flush();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        _disposals++;
        if (disposal == Disposal.Fails || (disposal == Disposal.FailsOnce && _disposals == 1))
        {
            throw new InvalidOperationException($"disposal {_disposals} fails");
        }

        _gzip.Dispose();
        base.Dispose(disposing);
    }
}
