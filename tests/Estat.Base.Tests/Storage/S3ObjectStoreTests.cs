// S3 as a place for objects: a real gateway, and networks that misbehave.
using Amazon.S3.Model;
using Estat.Base.Storage;

namespace Estat.Base.Tests.Storage;

public sealed class S3ObjectStoreTests(S3Gateway gateway) : StorageComplianceTests
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(500);

    [Theory]
    [InlineData(true, "application/x-ndjson", "gzip")]
    [InlineData(false, "application/octet-stream", null)]
    public async Task An_object_says_what_it_is(bool isGzip, string type, string? encoding)
    {
        BucketPlace place = await BehindProxyAsync();
        ObjectContent content = isGzip ? Contents.Of("a") : Opaque([1, 2, 3], "it is \"broken\"");
        await place.Store.CreateAsync("raw/a", content, Token);
        GetObjectMetadataResponse head = await place.Gateway.Client.GetObjectMetadataAsync(place.Bucket, "raw/a", Token);
        Assert.Equal((type, encoding),
            (head.Headers.ContentType, string.IsNullOrEmpty(head.Headers.ContentEncoding) ? null : head.Headers.ContentEncoding));
        Assert.Equal(content.Seal.Sha256, head.Metadata["estat-sha256"]);
        Assert.Equal(isGzip ? null : "it is \"broken\"", head.Metadata["estat-reason"]);
    }

    [Fact]
    public async Task A_listing_goes_on_past_a_page_of_S3()
    {
        BucketPlace place = await BehindProxyAsync();
        string[] keys = [.. Enumerable.Range(0, 1_050).Select(n => $"raw/{n:d5}")];
        await Parallel.ForEachAsync(keys, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (key, token) =>
            await place.Gateway.Client.PutObjectAsync(new PutObjectRequest { BucketName = place.Bucket, Key = key, ContentBody = "x" }, token));
        Assert.Equal(keys, await ListAsync(place, "raw/"));
        Assert.Equal(keys[1_020..], await ListAsync(place, "raw/", keys[1_019]));
    }

    [Fact]
    public async Task A_download_that_breaks_is_a_failure_that_may_pass()
    {
        BucketPlace place = await BehindProxyAsync(Short);
        byte[] bytes = new byte[8 << 20];
        new Random(3).NextBytes(bytes);
        await place.Gateway.Client.PutObjectAsync(
            new PutObjectRequest { BucketName = place.Bucket, Key = "raw/a", InputStream = new MemoryStream(bytes) }, Token);
        await using OpenObject open = (await place.Store.OpenAsync("raw/a", Token))!;
        byte[] buffer = new byte[1024];
        await open.Content.ReadExactlyAsync(buffer, Token);
        Assert.Equal(bytes[..1024], buffer);
        place.Proxy!.Fault = Fault.Hang;
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => open.Content.CopyToAsync(Stream.Null, Token));
        Assert.Equal(StorageFailure.Transient, error.Failure);
        Assert.Contains("GET raw/a", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_download_that_stops_coming_is_given_up_after_S3_TIMEOUT()
    {
        var pipe = new System.IO.Pipelines.Pipe();
        await pipe.Writer.WriteAsync(new byte[] { 1, 2, 3 }, Token);
        await using var reads = new BoundedReads(
            new MemoryStream(), pipe.Reader.AsStream(), "GET raw/a", TimeSpan.FromMilliseconds(100), TimeProvider.System);
        await reads.ReadExactlyAsync(new byte[3], Token);
        StorageException error = await Assert.ThrowsAsync<StorageException>(async () => await reads.ReadExactlyAsync(new byte[1], Token));
        Assert.Equal(StorageFailure.Transient, error.Failure);
        Assert.Contains("S3_TIMEOUT", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_foreign_object_has_no_seal()
    {
        BucketPlace place = await BehindProxyAsync();
        await place.Gateway.Client.PutObjectAsync(new PutObjectRequest { BucketName = place.Bucket, Key = "raw/a", ContentBody = "foreign" }, Token);
        Assert.Null(await place.Store.ReadSealAsync("raw/a", Token));
    }

    [Fact]
    public async Task A_user_without_permission_is_refused_and_told_what_to_check()
    {
        await using CephRgw own = await S3Gateway.StartAsync();
        BucketPlace place = Keep(await BucketPlace.CreateAsync(own));
        await own.SuspendUserAsync();
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => place.Store.CreateAsync("raw/a", Contents.Of("a"), Token));
        Assert.Equal(StorageFailure.Refused, error.Failure);
        Assert.Contains("Check the credentials", error.Message, StringComparison.Ordinal);
        Assert.Equal(StorageFailure.Refused, (await Assert.ThrowsAsync<StorageException>(() => place.Store.ReadSealAsync("raw/a", Token))).Failure);
        Assert.Contains("403", (await new StorageProbe(place.Store, TimeProvider.System).AskAsync())!.Message, StringComparison.Ordinal);
        await own.EnableUserAsync();
        Assert.Equal(CreateOutcome.Created, await place.Store.CreateAsync("raw/a", Contents.Of("a"), Token));
    }

    [Fact]
    public async Task A_bucket_that_does_not_exist_is_a_refusal_that_says_what_to_check()
    {
        BucketPlace place = await BehindProxyAsync();
        using var store = new S3ObjectStore(place.Options with { RawBucket = "no-such-bucket" }, TimeProvider.System);
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => store.CreateAsync("raw/a", Contents.Of("a"), Token));
        Assert.Equal(StorageFailure.Refused, error.Failure);
        Assert.Contains("s3://no-such-bucket", error.Message, StringComparison.Ordinal);
        Assert.Contains("Check RAW_BUCKET", error.Message, StringComparison.Ordinal);
        Assert.Equal(StorageFailure.Refused, (await Assert.ThrowsAsync<StorageException>(() => store.CheckAsync(Token))).Failure);
    }

    [Fact]
    public async Task A_store_that_hangs_is_given_up_after_S3_TIMEOUT()
    {
        BucketPlace place = await BehindProxyAsync(Short);
        place.Proxy!.Fault = Fault.Hang;
        foreach (Func<Task> request in new Func<Task>[]
        {
            () => place.Store.CreateAsync("raw/a", Contents.Of("a"), Token), () => place.Store.ReadSealAsync("raw/a", Token),
            () => place.Store.CheckAsync(Token),
        })
        {
            StorageException error = await Assert.ThrowsAsync<StorageException>(request);
            Assert.Equal(StorageFailure.Transient, error.Failure);
            Assert.Contains("S3_TIMEOUT", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task The_caller_s_cancellation_is_no_failure_of_the_store()
    {
        BucketPlace place = await BehindProxyAsync();
        place.Proxy!.Fault = Fault.Hang;
        int before = place.Proxy.Connections;
        using var cancelled = new CancellationTokenSource();
        Task create = place.Store.CreateAsync("raw/a", Contents.Of("a"), cancelled.Token);
        await Wait.UntilAsync(() => place.Proxy.Connections > before, TimeSpan.FromSeconds(10), "the request to reach the proxy");
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => create);
    }

    [Fact]
    public async Task An_upload_that_is_cut_leaves_no_object_and_works_the_next_time()
    {
        BucketPlace place = await BehindProxyAsync();
        var bytes = new byte[1 << 20];
        new Random(9).NextBytes(bytes);
        place.Proxy!.Fault = Fault.CutUploadAfter(200_000);
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => place.Store.CreateAsync("raw/a", Opaque(bytes, "cut"), Token));
        Assert.Equal(StorageFailure.Transient, error.Failure);
        Assert.Empty(await place.KeysAsync());
        place.Proxy.Fault = Fault.None;
        Assert.Equal(CreateOutcome.Created, await place.Store.CreateAsync("raw/a", Opaque(bytes, "cut"), Token));
        Assert.Equal(bytes, await place.ReadAsync("raw/a"));
    }

    [Fact]
    public async Task An_upload_whose_answer_is_lost_is_found_at_the_next_try()
    {
        BucketPlace place = await BehindProxyAsync();
        ObjectContent content = Contents.Of(EventLines.Bodies(50));
        place.Proxy!.Fault = Fault.DropResponse;
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => place.Store.CreateAsync("raw/a.jsonl.gz", content, Token));
        Assert.Equal(StorageFailure.Transient, error.Failure);
        place.Proxy.Fault = Fault.None;
        Assert.Equal(CreateOutcome.Exists, await place.Store.CreateAsync("raw/a.jsonl.gz", content, Token));
        Assert.Equal(content.Seal, await place.Store.ReadSealAsync("raw/a.jsonl.gz", Token));
        Assert.Equal(EventLines.Bodies(50), await place.BodiesAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_create_is_sent_exactly_once_when_the_peer_resets(bool overAKeptConnection)
    {
        BucketPlace place = await BehindProxyAsync();
        if (overAKeptConnection)
        {
            await place.Store.CreateAsync("raw/before", Contents.Of("a"), Token);
        }

        place.Proxy!.Fault = Fault.Refuse;
        int before = place.Proxy.Connections;
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => place.Store.CreateAsync("raw/a", Contents.Of("a"), Token));
        Assert.Equal(StorageFailure.Transient, error.Failure);
        Assert.InRange(place.Proxy.Connections - before, overAKeptConnection ? 0 : 1, 1);
    }

    [Fact]
    public async Task A_store_that_nobody_listens_for_is_a_failure_that_may_pass()
    {
        using var store = new S3ObjectStore(
            new StorageOptions { RawBucket = "events", S3Endpoint = new Uri($"http://127.0.0.1:{FreePort.Next()}") }, TimeProvider.System);
        await gateway.SharedAsync(); // for its credentials
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => store.CreateAsync("raw/a", Contents.Of("a"), Token));
        Assert.Equal(StorageFailure.Transient, error.Failure);
        Assert.NotNull(await new StorageProbe(store, TimeProvider.System).AskAsync());
    }

    [Theory]
    [InlineData("500 Internal Server Error", "text/plain", "", StorageFailure.Transient)]
    [InlineData("502 Bad Gateway", "text/html", "<html><body>Bad Gateway<br></body></html>", StorageFailure.Transient)]
    [InlineData("503 Slow Down", "application/xml", "<Error><Code>SlowDown</Code><Message>later</Message></Error>", StorageFailure.Transient)]
    [InlineData("429 Too Many Requests", "application/json", "{}", StorageFailure.Transient)]
    [InlineData("409 Conflict", "application/xml", "<Error><Code>ConditionalRequestConflict</Code></Error>", StorageFailure.Transient)]
    [InlineData("403 Forbidden", "text/html", "<html>blocked</html>", StorageFailure.Refused)]
    [InlineData("400 Bad Request", "application/xml", "<Error><Code>InvalidRequest</Code></Error>", StorageFailure.Refused)]
    public async Task An_error_from_whoever_answers_is_the_store_s_failure(string status, string type, string body, StorageFailure expected)
    {
        await gateway.SharedAsync(); // for its credentials
        using var middlebox = new FixedAnswer(status, type, body);
        using var store = new S3ObjectStore(new StorageOptions { RawBucket = "events", S3Endpoint = middlebox.Endpoint }, TimeProvider.System);
        Assert.Equal(expected, (await Assert.ThrowsAsync<StorageException>(() => store.CreateAsync("raw/a", Contents.Of("a"), Token))).Failure);
        Assert.Equal(expected, (await Assert.ThrowsAsync<StorageException>(() => store.CheckAsync(Token))).Failure);
    }

    [Fact]
    public async Task An_answer_that_is_no_S3_answer_is_the_store_s_failure()
    {
        await gateway.SharedAsync(); // for its credentials
        using var middlebox = new FixedAnswer("200 OK", "text/html", "<html><body>Please log in<br></body>");
        using var store = new S3ObjectStore(new StorageOptions { RawBucket = "events", S3Endpoint = middlebox.Endpoint }, TimeProvider.System);
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => store.CheckAsync(Token));
        Assert.Equal(StorageFailure.Transient, error.Failure);
        Assert.NotNull(await new StorageProbe(store, TimeProvider.System).AskAsync());
    }

    [Theory]
    [InlineData("500 Internal Server Error")]
    [InlineData("200 OK")]
    public async Task An_answer_without_end_is_a_failure_that_may_pass(string status)
    {
        await gateway.SharedAsync(); // for its credentials
        using var middlebox = new FixedAnswer(status, "application/xml", "<Error>" + string.Concat(Enumerable.Repeat("<a>", 3 << 20)));
        using var store = new S3ObjectStore(
            new StorageOptions { RawBucket = "events", S3Endpoint = middlebox.Endpoint }, TimeProvider.System);
        foreach (Func<Task> request in new Func<Task>[] { () => store.CheckAsync(Token),
            () => store.CreateAsync("raw/a", Contents.Of("a"), Token), () => store.DeleteAsync("raw/a", Token) })
        {
            Assert.Equal(StorageFailure.Transient, (await Assert.ThrowsAsync<StorageException>(request)).Failure);
        }
    }

    protected override async Task<StoragePlace> NewPlaceAsync() => await BucketPlace.CreateAsync(await gateway.SharedAsync());

    private async Task<BucketPlace> BehindProxyAsync(TimeSpan? timeout = null) =>
        Keep(await BucketPlace.CreateAsync(await gateway.SharedAsync(), behindProxy: true, timeout));
}
