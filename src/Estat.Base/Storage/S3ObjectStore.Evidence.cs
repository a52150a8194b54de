// What an upload's, a delete's and a check's success rests on. A status alone proves nothing: a portal in the store's place answers 200 to
// everything.
using System.Net;
using System.Text;
using Amazon.S3;
using Amazon.S3.Model;

namespace Estat.Base.Storage;

public sealed partial class S3ObjectStore
{
    private const string WhoAnswers = "Find out what answers instead of the store, such as a proxy or a login page";

    private static readonly string OtherMd5 = Convert.ToBase64String(new byte[16]);
    private static readonly byte[] ProbeText = Encoding.ASCII.GetBytes("estat checks whether it may write here; you may delete this\n");

    /// <summary>Finds what was sent: its length and its seal. For stores whose ETag is no MD5, or that send none.</summary>
    /// <exception cref="StorageException">It is not there, whatever the upload was answered, or nobody knows.</exception>
    private async Task ProveAsync(string key, Seal seal, long length, CancellationToken cancellationToken)
    {
        GetObjectMetadataResponse? head = await HeadAsync(key, cancellationToken).ConfigureAwait(false);
        string? fault = head is null ? "there is no such object"
            : Seal.FromMetadata(name => head.Metadata[name]) is not { } found ? "the object there has no seal"
            : found.Sha256 != seal.Sha256 ? "the object there has another seal"
            : head.ContentLength != length ? $"the object there has {head.ContentLength} of {length} bytes"
            : null;
        if (fault is not null)
        {
            throw new StorageException(StorageFailure.Transient, $"{Description}: PUT {key}: the store answered success, but {fault}. {WhoAnswers}");
        }
    }

    private async Task ProveGoneAsync(string key, CancellationToken cancellationToken)
    {
        if (await HeadAsync(key, cancellationToken).ConfigureAwait(false) is not null)
        {
            throw new StorageException(
                StorageFailure.Transient, $"{Description}: DELETE {key}: the store answered success, but the object is still there. {WhoAnswers}");
        }
    }

    private Task<GetObjectMetadataResponse?> HeadAsync(string key, CancellationToken cancellationToken) =>
        SendAsync($"HEAD {key}", async token =>
        {
            try
            {
                return await _client.GetObjectMetadataAsync(_bucket, key, token).ConfigureAwait(false);
            }
            catch (AmazonS3Exception error) when (IsMissing(error))
            {
                return null;
            }
        }, cancellationToken, ofObject: true);

    // What is promised is a PUT, and a policy may allow lists and deny that. This one has all headers of an upload, so that the policy decides as it
    // does there, and a Content-MD5 of something else: a store that would take it refuses it for that, and nothing is left.
    private async Task ProbePutAsync(CancellationToken cancellationToken)
    {
        using var stream = new MemoryStream(ProbeText, writable: false);
        UploadDigest digest = UploadDigest.Of(stream);
        Seal seal = ContentCheck.SealOfBytes(new MemoryStream(ProbeText, writable: false), events: 0);
        var content = new ObjectContent(() => stream, seal, IsGzip: true);
        bool? isProven = await SendAsync<bool?>("PUT", async token =>
        {
            PutObjectRequest request = NewPut(_probeKey, content, stream, OtherMd5);
            try
            {
                return digest.IsProvenBy(await _client.PutObjectAsync(request, token).ConfigureAwait(false));
            }
            catch (AmazonS3Exception error) when (IsOfDigest(error) || error.StatusCode == HttpStatusCode.PreconditionFailed)
            {
                return null;
            }
        }, cancellationToken).ConfigureAwait(false);
        if (isProven is null)
        {
            return;
        }

        // It does not look at Content-MD5. It may write, then, if it has written; whether it may delete is no matter of an upload's.
        if (isProven == false)
        {
            await ProveAsync(_probeKey, seal, digest.Length, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            await DeleteAsync(_probeKey, cancellationToken).ConfigureAwait(false);
        }
        catch (StorageException)
        {
            // It stays: a few bytes that readers of a lake pass over, as its name begins with a dot. The next probe finds it taken.
        }
    }

    // "BadDigest" in S3, Ceph, MinIO and R2.
    private static bool IsOfDigest(AmazonS3Exception error) =>
        error.StatusCode == HttpStatusCode.BadRequest && error.ErrorCode is { } code
        && (code.Contains("Digest", StringComparison.OrdinalIgnoreCase) || code.Contains("MD5", StringComparison.OrdinalIgnoreCase));
}
