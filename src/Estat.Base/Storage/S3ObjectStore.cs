// Objects in S3 or an S3-compatible store.
using System.Net;
using System.Runtime.CompilerServices;
using Amazon.S3;
using Amazon.S3.Model;
using Estat.Base.Threading;

namespace Estat.Base.Storage;

/// <summary>
/// Conditional creates (<c>If-None-Match: *</c>) through AWSSDK.S3 with the SDK's retries off: how often and how fast to try again is the uploader's
/// decision. A create and a delete count on evidence, not on a status (S3ObjectStore.Evidence.cs). Every request has <c>S3_TIMEOUT</c>.
/// Needs <c>s3:PutObject</c>, <c>s3:GetObject</c> and <c>s3:ListBucket</c> (without the last S3 answers
/// 403 where it should say that an object is missing).
/// </summary>
public sealed partial class S3ObjectStore : IObjectCatalog
{
    /// <summary>Content-Type of objects.</summary>
    internal const string JsonLines = "application/x-ndjson";

    private const string Opaque = "application/octet-stream";
    private const string ProbeName = ".estat-probe";
    private const string ReasonName = "estat-reason";

    private readonly AmazonS3Client _client;
    private readonly S3PutRules _rules;
    private readonly string _bucket;
    private readonly string _probeKey;
    private readonly string _where;
    private readonly TimeSpan _timeout;
    private readonly long _longestObject;
    private readonly TimeProvider _time;

    /// <summary>A store over <c>RAW_BUCKET</c>. No request is sent yet.</summary>
    public S3ObjectStore(StorageOptions options, TimeProvider time)
    {
        _bucket = options.RawBucket ?? throw new ArgumentException("RAW_BUCKET is not set", nameof(options));
        _probeKey = $"{options.RawPrefix}/{ProbeName}";
        _where = options.S3Endpoint is null ? $"S3 in {options.AwsRegion}" : options.S3Endpoint.ToString().TrimEnd('/');
        _timeout = options.S3Timeout;
        _longestObject = options.LongestObject;
        _time = time;
        _rules = new S3PutRules(options);
        _client = new AmazonS3Client(S3Clients.ConfigOf(options));
    }

    /// <inheritdoc/>
    public string Description => $"s3://{_bucket}";

    /// <inheritdoc/>
    public bool KeepsMetadata => true;

    /// <inheritdoc/>
    public async Task<CreateOutcome> CreateAsync(string key, ObjectContent content, CancellationToken cancellationToken)
    {
        using Stream stream = content.OpenContent();
        UploadDigest digest = UploadDigest.Of(stream);
        CreateOutcome? outcome = await SendAsync<CreateOutcome?>($"PUT {key}", async token =>
        {
            PutObjectRequest request = NewPut(key, content, stream, digest.Header);
            try
            {
                PutObjectResponse answer = await _client.PutObjectAsync(request, token).ConfigureAwait(false);
                return digest.IsProvenBy(answer) ? CreateOutcome.Created : null;
            }
            catch (AmazonS3Exception error) when (error.StatusCode == HttpStatusCode.PreconditionFailed)
            {
                return CreateOutcome.Exists;
            }
        }, cancellationToken).ConfigureAwait(false);
        if (outcome is null)
        {
            await ProveAsync(key, content.Seal, digest.Length, cancellationToken).ConfigureAwait(false);
        }

        return outcome ?? CreateOutcome.Created;
    }

    /// <inheritdoc/>
    public async Task<Seal?> ReadSealAsync(string key, CancellationToken cancellationToken) =>
        await HeadAsync(key, cancellationToken).ConfigureAwait(false) is { } head ? Seal.FromMetadata(name => head.Metadata[name]) : null;

    /// <inheritdoc/>
    public Task<Stream?> ReadAsync(string key, CancellationToken cancellationToken) =>
        SendAsync<Stream?>($"GET {key}", async token =>
        {
            try
            {
                using GetObjectResponse answer = await _client.GetObjectAsync(_bucket, key, token).ConfigureAwait(false);
                return await ReadBatchAsync(answer.ResponseStream, token).ConfigureAwait(false);
            }
            catch (AmazonS3Exception error) when (IsMissing(error))
            {
                return null;
            }
        }, cancellationToken, ofObject: true);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectEntry> ListAsync(string prefix, string? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? last = after;
        for (bool more = true; more;)
        {
            string? before = last;
            var request = new ListObjectsV2Request { BucketName = _bucket, Prefix = prefix, StartAfter = last };
            ListObjectsV2Response page = await SendAsync(
                $"list {prefix}", token => _client.ListObjectsV2Async(request, token), cancellationToken).ConfigureAwait(false);
            foreach (S3Object found in page.S3Objects ?? [])
            {
                last = found.Key;
                yield return new ObjectEntry(found.Key, found.Size ?? 0, Utc(found.LastModified));
            }

            more = page.IsTruncated == true;
            if (more && (last is null || (before is not null && KeyOrder.Instance.Compare(last, before) <= 0)))
            {
                throw new StorageException(
                    StorageFailure.Transient,
                    $"{Description}: list {prefix}: the store says that there is more after {before ?? "nothing"}, but lists nothing more");
            }
        }
    }

    /// <inheritdoc/>
    public Task<OpenObject?> OpenAsync(string key, CancellationToken cancellationToken) =>
        SendAsync<OpenObject?>($"GET {key}", async token =>
        {
            try
            {
                GetObjectResponse answer = await _client.GetObjectAsync(_bucket, key, token).ConfigureAwait(false);
                var content = new BoundedReads(answer, answer.ResponseStream, $"{Description}: GET {key}", _timeout, _time);
                return new OpenObject(new ObjectEntry(key, answer.ContentLength, Utc(answer.LastModified)), content)
                {
                    Seal = Seal.FromMetadata(name => answer.Metadata[name]),
                    ContentType = answer.Headers.ContentType,
                    ContentEncoding = string.IsNullOrEmpty(answer.Headers.ContentEncoding) ? null : answer.Headers.ContentEncoding,
                    Reason = answer.Metadata[ReasonName],
                };
            }
            catch (AmazonS3Exception error) when (IsMissing(error))
            {
                return null;
            }
        }, cancellationToken, ofObject: true);

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(string key, CancellationToken cancellationToken)
    {
        await SendAsync($"DELETE {key}", token => _client.DeleteObjectAsync(_bucket, key, token), cancellationToken).ConfigureAwait(false);
        await ProveGoneAsync(key, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <inheritdoc/>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        // A HEAD has no body, so a missing bucket and a missing object look the same; a listing of nothing tells them apart.
        await SendAsync("list", async token =>
        {
            var request = new ListObjectsV2Request { BucketName = _bucket, Prefix = _probeKey, MaxKeys = 1 };
            return await _client.ListObjectsV2Async(request, token).ConfigureAwait(false);
        }, cancellationToken).ConfigureAwait(false);
        await ProbePutAsync(cancellationToken).ConfigureAwait(false);
        if (_rules.NeedHead)
        {
            await HeadAsync(_probeKey, cancellationToken).ConfigureAwait(false); // every upload's evidence is one; 404 says that it may be asked
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    // No batch is longer than the bound, so what is longer is another's, and is not read on: a reader finds gzip that is cut unsound.
    private async Task<Stream> ReadBatchAsync(Stream source, CancellationToken cancellationToken)
    {
        var content = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        for (int read; content.Length < _longestObject && (read = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            content.Write(buffer, 0, read);
        }

        content.Position = 0;
        return content;
    }

    // What a create sends.
    private PutObjectRequest NewPut(string key, ObjectContent content, Stream stream, string md5)
    {
        PutObjectRequest request = _rules.Apply(new PutObjectRequest
        {
            BucketName = _bucket,
            Key = key,
            InputStream = stream,
            AutoCloseStream = false,
            UseChunkEncoding = false,
            IfNoneMatch = "*",
            MD5Digest = md5,
            ContentType = content.IsGzip ? JsonLines : Opaque,
        });
        if (content.IsGzip)
        {
            request.Headers.ContentEncoding = "gzip";
        }

        if (content.Reason is not null)
        {
            request.Metadata.Add(ReasonName, HeaderText(content.Reason));
        }

        foreach ((string name, string value) in content.Seal.ToMetadata())
        {
            request.Metadata.Add(name, value);
        }

        return request;
    }

    private async Task<T> SendAsync<T>(string what, Func<CancellationToken, Task<T>> send, CancellationToken cancellationToken, bool ofObject = false)
    {
        using var timeout = new CancellationTokenSource(_timeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellationToken);
        try
        {
            return await send(either.Token).ConfigureAwait(false);
        }
        catch (AmazonS3Exception error)
        {
            throw new StorageException(S3Errors.IsRefusal(error) ? StorageFailure.Refused : StorageFailure.Transient, Explain(what, error), error)
            {
                OfObject = ofObject && S3Errors.MayBeOfOneObject(error)
                    ? S3Errors.IsArchived(error) ? ObjectRefusal.Certain : ObjectRefusal.Possible
                    : ObjectRefusal.None,
                Permission = S3Errors.PermissionOf(error, what),
            };
        }
        catch (OperationCanceledException error) when (!cancellationToken.IsCancellationRequested)
        {
            throw new StorageException(StorageFailure.Transient, $"{Description}: {what}: {_where} did not answer within S3_TIMEOUT", error);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Broken connections, credentials that cannot be fetched (AmazonServiceException), answers that are no XML: the SDK throws many types.
            cancellationToken.ThrowIfCancellationRequested();
            throw new StorageException(StorageFailure.Transient, $"{Description}: {what}: {Explain(error)}", error);
        }
        finally
        {
            // The answer may have been read by a thread that polls sockets; what callers do next, deleting files above all, is none of its work.
            await PoolThread.Switch();
        }
    }

    private static DateTimeOffset Utc(DateTime? time) => time is { } known ? new DateTimeOffset(known.ToUniversalTime()) : DateTimeOffset.UnixEpoch;

    private static bool IsMissing(AmazonS3Exception error) => error.StatusCode == HttpStatusCode.NotFound && error.ErrorCode != "NoSuchBucket";

    private string Explain(string what, AmazonS3Exception error)
    {
        string answer = string.Join(
            ' ', new[] { $"{(int)error.StatusCode}", error.ErrorCode, error.Message }.Where(part => !string.IsNullOrWhiteSpace(part)));
        return $"{Description}: {what}: {answer.TrimEnd('.')}{S3Errors.For(error, what)}";
    }

    private string Explain(Exception error)
    {
        if (CredentialLinks.Explain(error) is { } fault)
        {
            return fault;
        }

        string message = CredentialLinks.Innermost(error);
        return error is HttpRequestException || error.InnerException is HttpRequestException ? $"{_where} cannot be reached ({message})" : message;
    }

    // Metadata travels as header values: printable ASCII, and S3 takes 2 KB of it in all.
    private static string HeaderText(string text)
    {
        const int Longest = 500;
        return string.Create(Math.Min(text.Length, Longest), text, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = source[i] is >= ' ' and <= '~' ? source[i] : '?';
            }
        });
    }
}
