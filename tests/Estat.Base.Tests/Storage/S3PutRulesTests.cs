// Buckets with rules: what every PUT asks for, and what an answer of S3 is explained with.
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using Amazon.S3.Model;
using Estat.Base.Storage;

namespace Estat.Base.Tests.Storage;

public sealed class S3PutRulesTests(S3Gateway gateway) : IDisposable
{
    private static readonly CancellationToken Token = TestContext.Current.CancellationToken;
    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<WebHeaderCollection> _puts = new();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Every_PUT_asks_for_encryption_ACL_and_storage_class_as_the_options_say(bool isForRaw)
    {
        StorageOptions options = Recording() with
        {
            S3Sse = "aws:kms",
            S3SseKmsKeyId = "alias/events",
            S3Acl = "bucket-owner-full-control",
            S3StorageClass = "INTELLIGENT_TIERING",
        };
        ObjectContent content = Contents.Of("a");
        using var store = new S3ObjectStore(options, TimeProvider.System);
        await TryCreateAsync(store, isForRaw ? content : content with { IsGzip = false, Reason = "broken" });
        WebHeaderCollection put = _puts.First();
        Assert.Equal(
            ("aws:kms", "alias/events", "bucket-owner-full-control", "INTELLIGENT_TIERING", "100-continue"),
            (put["x-amz-server-side-encryption"], put["x-amz-server-side-encryption-aws-kms-key-id"], put["x-amz-acl"],
                put["x-amz-storage-class"], put["Expect"]));
    }

    [Fact]
    public async Task Without_options_nothing_is_asked_for_and_the_body_need_not_wait_for_100_Continue()
    {
        using var store = new S3ObjectStore(Recording() with { S3ExpectContinue = false }, TimeProvider.System);
        await TryCreateAsync(store, Contents.Of("a"));
        Assert.DoesNotContain(_puts.First().AllKeys,
            name => name!.StartsWith("x-amz-server-side", StringComparison.OrdinalIgnoreCase)
                || name.ToUpperInvariant() is "X-AMZ-ACL" or "X-AMZ-STORAGE-CLASS" or "EXPECT");
    }

    [Fact]
    public async Task A_real_store_takes_them()
    {
        BucketPlace place = await BucketPlace.CreateAsync(await gateway.SharedAsync());
        await using (place)
        {
            StorageOptions options = place.Options with
            {
                S3Acl = "bucket-owner-full-control",
                S3StorageClass = "STANDARD",
                S3ExpectContinue = false,
            };
            using var store = new S3ObjectStore(options, TimeProvider.System);
            Assert.Equal(CreateOutcome.Created, await store.CreateAsync("raw/a", Contents.Of("a"), Token));
            GetObjectMetadataResponse head = await place.Gateway.Client.GetObjectMetadataAsync(place.Bucket, "raw/a", Token);
            Assert.Equal("gzip", head.Headers.ContentEncoding);
        }
    }

    [Theory]
    [InlineData(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", "clock is off")]
    [InlineData(403, "InvalidObjectState", "The operation is not valid for the object's storage class", "restore it first")]
    [InlineData(403, "AccessDenied", "Access Denied", "this needs s3:GetObject, and s3:ListBucket on the bucket")]
    [InlineData(403, "AccessDenied", "User is not authorized to perform: kms:GenerateDataKey on this resource", "Check the KMS key")]
    [InlineData(400, "KMS.DisabledException", "key is disabled", "Check the KMS key")]
    [InlineData(400, "AccessControlListNotSupported", "The bucket does not allow ACLs", "remove S3_ACL")]
    [InlineData(400, "InvalidStorageClass", "The storage class you specified is not valid", "check S3_STORAGE_CLASS")]
    [InlineData(400, "ExpiredToken", "The provided token has expired.", "credentials have expired")]
    [InlineData(403, "InvalidAccessKeyId", "does not exist in our records", "check AWS_ACCESS_KEY_ID")]
    [InlineData(403, "SignatureDoesNotMatch", "does not match", "AWS_SECRET_ACCESS_KEY")]
    [InlineData(400, "AuthorizationHeaderMalformed", "the region is wrong", "another region: check AWS_REGION")]
    [InlineData(417, "", "", "S3_EXPECT_CONTINUE=false")]
    [InlineData(507, "XMinioStorageFull", "Storage backend has reached its minimum free drive threshold", "The store is full")]
    public async Task An_answer_of_S3_is_explained_by_what_it_means(int status, string code, string message, string advice)
    {
        string body = code.Length == 0 ? "" : $"<Error><Code>{code}</Code><Message>{message}</Message></Error>";
        using var answer = new FixedAnswer($"{status} Refused", "application/xml", body);
        using var store = new S3ObjectStore(OptionsFor(answer.Endpoint), TimeProvider.System);
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => store.OpenAsync("raw/a", Token));
        Assert.Contains(advice, error.Message, StringComparison.Ordinal);
        Assert.Equal(status < 500 ? StorageFailure.Refused : StorageFailure.Transient, error.Failure);
    }

    [Theory]
    [InlineData("list", "AccessDenied", "s3:ListBucket")]
    [InlineData("PUT", "AccessDenied", "s3:PutObject")]
    [InlineData("HEAD", "AccessDenied", "s3:GetObject")] // its body, with the code, never arrives
    [InlineData("GET", "AccessDenied", "s3:GetObject")]
    [InlineData("DELETE", "AccessDenied", "s3:DeleteObject")]
    [InlineData("PUT", "SignatureDoesNotMatch", null)]
    [InlineData("PUT", "KMS.AccessDenied", null)]
    public async Task What_was_forbidden_names_the_permission_that_it_needs(string request, string code, string? permission)
    {
        using var answer = new FixedAnswer("403 Forbidden", "application/xml", $"<Error><Code>{code}</Code><Message>no</Message></Error>");
        using var store = new S3ObjectStore(OptionsFor(answer.Endpoint), TimeProvider.System);
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => request switch
        {
            "list" => store.CheckAsync(Token),
            "PUT" => store.CreateAsync("raw/a", Contents.Of("a"), Token),
            "HEAD" => store.ReadSealAsync("raw/a", Token),
            "GET" => store.OpenAsync("raw/a", Token),
            _ => store.DeleteAsync("raw/a", Token),
        });
        Assert.Equal(permission, error.Permission);
        Assert.Equal(permission is not null, error.Message.Contains($"this needs {permission ?? "s3:"}", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("InvalidObjectState", ObjectRefusal.Certain)]
    [InlineData("AccessDenied", ObjectRefusal.Possible)]
    [InlineData("KMS.DisabledException", ObjectRefusal.Possible)]
    [InlineData("ExpiredToken", ObjectRefusal.None)]
    [InlineData("RequestTimeTooSkewed", ObjectRefusal.None)]
    public async Task A_refusal_says_whether_other_objects_may_be_read_all_the_same(string code, ObjectRefusal expected)
    {
        using var answer = new FixedAnswer("403 Forbidden", "application/xml", $"<Error><Code>{code}</Code><Message>no</Message></Error>");
        using var store = new S3ObjectStore(OptionsFor(answer.Endpoint), TimeProvider.System);
        Assert.Equal(expected, (await Assert.ThrowsAsync<StorageException>(() => store.OpenAsync("raw/a", Token))).OfObject);
        Assert.Equal(ObjectRefusal.None, (await Assert.ThrowsAsync<StorageException>(() => store.CheckAsync(Token))).OfObject);
    }

    public void Dispose() => _listener.Close();

    private static StorageOptions OptionsFor(Uri endpoint)
    {
        // Any will do here; those of the shared gateway stay.
        foreach (string name in new[] { "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY" })
        {
            Environment.SetEnvironmentVariable(name, Environment.GetEnvironmentVariable(name) ?? "any");
        }

        return new StorageOptions { RawBucket = "bucket", S3Endpoint = endpoint, S3Timeout = TimeSpan.FromSeconds(20) };
    }

    // What comes of it is not asked here: the requests tell.
    private static async Task TryCreateAsync(S3ObjectStore store, ObjectContent content)
    {
        try
        {
            await store.CreateAsync("raw/a", content, Token);
        }
        catch (StorageException)
        {
            // The stand-in keeps nothing.
        }
    }

    private StorageOptions Recording()
    {
        string endpoint = $"http://127.0.0.1:{FreePort.Next()}/";
        _listener.Prefixes.Add(endpoint);
        _listener.Start();
        _ = RecordAsync();
        return OptionsFor(new Uri(endpoint));
    }

    private async Task RecordAsync()
    {
        try
        {
            while (true)
            {
                HttpListenerContext context = await _listener.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                if (context.Request.HttpMethod == "PUT")
                {
                    _puts.Enqueue(new WebHeaderCollection { context.Request.Headers });
#pragma warning disable CA5351 // S3's ETag
                    context.Response.AddHeader("ETag", $"\"{Convert.ToHexStringLower(MD5.HashData(body.ToArray()))}\"");
#pragma warning restore CA5351
                }

                context.Response.Close();
            }
        }
        catch (Exception error) when (error is HttpListenerException or ObjectDisposedException or InvalidOperationException)
        {
            // Disposed of with the test.
        }
    }
}
