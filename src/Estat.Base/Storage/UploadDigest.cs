// What is sent, in a hash: the store checks it, and its answer has to fit it.
using System.Buffers;
using System.Security.Cryptography;
using Amazon.S3.Model;

namespace Estat.Base.Storage;

/// <summary>
/// Length and MD5 of an upload's bytes. They are read once for it, as Content-MD5 goes before them; the SDK reads them for its signature besides,
/// whatever header it is given.
/// </summary>
internal sealed record UploadDigest(long Length, byte[] Md5)
{
    private const int ReadBytes = 64 * 1024;

    /// <summary>As Content-MD5 has it.</summary>
    internal string Header => Convert.ToBase64String(Md5);

    /// <summary>Reads the stream to its end, and goes back to its start.</summary>
    internal static UploadDigest Of(Stream content)
    {
#pragma warning disable CA5351 // MD5 is what S3 compares: Content-MD5, and a plain object's ETag. It guards against accidents; the seal is SHA-256.
        using var md5 = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
#pragma warning restore CA5351
        byte[] buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
        try
        {
            long length = 0;
            for (int read; (read = content.Read(buffer, 0, buffer.Length)) > 0; length += read)
            {
                md5.AppendData(buffer, 0, read);
            }

            content.Position = 0;
            return new UploadDigest(length, md5.GetHashAndReset());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>
    /// Whether the answer to the upload is evidence by itself: no body, and an ETag that is this content's MD5. A store may give another ETag
    /// (SSE-KMS does, and several stores), so that false says nothing yet; what stands in a store's place has neither.
    /// </summary>
    internal bool IsProvenBy(PutObjectResponse answer)
    {
        ReadOnlySpan<char> etag = answer.ETag.AsSpan().Trim();
        etag = (etag.StartsWith("W/", StringComparison.Ordinal) ? etag[2..] : etag).Trim('"');
        return answer.ContentLength == 0 && etag.Equals(Convert.ToHexString(Md5), StringComparison.OrdinalIgnoreCase);
    }
}
