// Gzip of one or more members, with one more behind them: what is decoded ends in the mark only if everything before it was whole.
namespace Estat.Base.Storage;

/// <summary>
/// .NET's GZipStream ends silently where gzip is cut off or goes on as something else. So a member of our own is appended: behind whole members it is
/// decoded as well, and the text ends in <see cref="Mark"/>. In a member that was cut off it becomes part of it, whose check sum then fails; behind
/// other bytes it is not reached.
/// </summary>
/// <param name="gzip">The bytes; disposed of with this.</param>
public sealed class MarkedGzipStream(Stream gzip) : ReadOnceStream
{
    private static readonly byte[] Member = Convert.FromHexString(
        "1F8B08000000000004034B2D2E492CB15228C9485548CA4FA95448CD4B2956C8482D4AE502004D4437BA1A000000");
    private int _marked;

    /// <summary>What the member holds.</summary>
    public static ReadOnlySpan<byte> Mark => "estat: the body ends here\n"u8;

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        int read = gzip.Read(buffer);
        if (read == 0 && !buffer.IsEmpty)
        {
            read = Math.Min(buffer.Length, Member.Length - _marked);
            Member.AsSpan(_marked, read).CopyTo(buffer);
            _marked += read;
        }

        return read;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            gzip.Dispose();
        }

        base.Dispose(disposing);
    }
}
