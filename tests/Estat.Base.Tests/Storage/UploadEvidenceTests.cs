// An upload counts when the object is there, not when somebody says 200.
using Estat.Base.Storage;

namespace Estat.Base.Tests.Storage;

public sealed class UploadEvidenceTests(S3Gateway gateway)
{
    private const string Key = "raw/dt=2026-01-01/hr=00/a.jsonl.gz";
    private const string Page = "<html><body>Please sign in<br></body></html>";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<string?> Strange => new()
    {
        "\"0x8DBF00D\"", "\"d41d8cd98f00b204e9800998ecf8427e\"", "\"d41d8cd98f00b204e9800998ecf8427e-3\"", "W/\"x\"", "no quotes", (string?)null,
    };

    [Theory]
    [InlineData("text/html", Page)]
    [InlineData("text/html", "")]
    [InlineData("application/xml", "<html/>")]
    public async Task Nothing_that_a_portal_answers_with_200_counts_as_done(string type, string body)
    {
        await gateway.SharedAsync(); // for its credentials
        using StoreStub portal = StoreStub.Start();
        portal.Instead = _ => new StubAnswer(200, body, type);
        using S3ObjectStore store = StoreOf(portal);
        foreach (Func<Task> request in new Func<Task>[]
        {
            () => store.CreateAsync(Key, Contents.Of("a"), Token), () => store.DeleteAsync(Key, Token), () => store.CheckAsync(Token),
            () => store.ListAsync("raw/", null, Token).ToListAsync(Token).AsTask(),
        })
        {
            Assert.Equal(StorageFailure.Transient, (await Assert.ThrowsAsync<StorageException>(request)).Failure);
        }

        Assert.Null(await store.ReadSealAsync(Key, Token));
    }

    [Fact]
    public async Task An_upload_whose_object_is_not_there_has_failed_and_says_what_to_look_at()
    {
        await gateway.SharedAsync();
        using StoreStub stub = StoreStub.Start();
        stub.Instead = request => request.HttpMethod == "PUT" ? new StubAnswer(200) : null;
        using S3ObjectStore store = StoreOf(stub);
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => store.CreateAsync(Key, Contents.Of("a"), Token));
        Assert.Contains($"PUT {Key}", error.Message, StringComparison.Ordinal);
        Assert.Contains("there is no such object", error.Message, StringComparison.Ordinal);
        Assert.Contains("Find out what answers", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Strange))]
    public async Task An_ETag_may_be_anything_and_the_seal_decides(string? etag)
    {
        await gateway.SharedAsync();
        using StoreStub stub = StoreStub.Start();
        stub.ETag = _ => etag;
        using S3ObjectStore store = StoreOf(stub);
        ObjectContent content = Contents.Of(EventLines.Bodies(100));
        Assert.Equal(CreateOutcome.Created, await store.CreateAsync(Key, content, Token));
        Assert.Equal(["PUT", "HEAD"], stub.Requests.Select(request => request.Method));
        Assert.Equal(content.Seal, await store.ReadSealAsync(Key, Token));
        await using OpenObject open = (await store.OpenAsync(Key, Token))!;
        using var read = new MemoryStream();
        await open.Content.CopyToAsync(read, Token);
        Assert.Equal(stub[Key], read.ToArray());
        using Stream whole = (await store.ReadAsync(Key, Token))!;
        Assert.Equal(stub[Key], EventLines.ReadAll(whole));
    }

    [Fact]
    public async Task An_upload_whose_length_is_not_the_object_s_has_failed()
    {
        await gateway.SharedAsync();
        using StoreStub stub = StoreStub.Start();
        stub.ETag = _ => null;
        using S3ObjectStore store = StoreOf(stub);
        byte[] bytes = EventLines.ReadAll(Contents.Of("a").OpenContent());
        ObjectContent content = Contents.Of("a");
        await store.CreateAsync(Key, content with { OpenContent = () => new MemoryStream(bytes[..^1]) }, Token); // a store that cut it
        stub.Instead = request => request.HttpMethod == "PUT" ? new StubAnswer(200) : null;
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => store.CreateAsync(Key, content, Token));
        Assert.Contains($"{bytes.Length - 1} of {bytes.Length} bytes", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_upload_to_a_plain_store_is_one_request_with_Content_MD5()
    {
        await gateway.SharedAsync();
        using StoreStub stub = StoreStub.Start();
        using S3ObjectStore store = StoreOf(stub);
        ObjectContent content = Contents.Of(EventLines.Bodies(1_000));
        Assert.Equal(CreateOutcome.Created, await store.CreateAsync(Key, content, Token));
        (string method, _, System.Net.WebHeaderCollection headers) = Assert.Single(stub.Requests);
        Assert.Equal("PUT", method);
#pragma warning disable CA5351
        Assert.Equal(
            Convert.ToBase64String(System.Security.Cryptography.MD5.HashData(EventLines.ReadAll(content.OpenContent()))), headers["Content-MD5"]);
#pragma warning restore CA5351
    }

    [Fact]
    public async Task A_delete_that_left_the_object_has_failed()
    {
        await gateway.SharedAsync();
        using StoreStub stub = StoreStub.Start();
        using S3ObjectStore store = StoreOf(stub);
        await store.CreateAsync(Key, Contents.Of("a"), Token);
        stub.Instead = request => request.HttpMethod == "DELETE" ? new StubAnswer(204) : null;
        Assert.Contains("is still there", (await Assert.ThrowsAsync<StorageException>(() => store.DeleteAsync(Key, Token))).Message,
            StringComparison.Ordinal);
        stub.Instead = _ => null;
        Assert.True(await store.DeleteAsync(Key, Token));
        Assert.Empty(stub.Keys);
    }

    [Fact]
    public async Task A_listing_that_goes_in_circles_ends()
    {
        await gateway.SharedAsync();
        using StoreStub stub = StoreStub.Start();
        const string Again =
            "<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>raw/a</Key><Size>1</Size></Contents></ListBucketResult>";
        stub.Instead = _ => new StubAnswer(200, Again);
        using S3ObjectStore store = StoreOf(stub);
        await Assert.ThrowsAsync<StorageException>(() => store.ListAsync("raw/", null, Token).ToListAsync(Token).AsTask());
        Assert.Equal(2, stub.Requests.Count);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_check_asks_for_what_an_upload_needs_and_leaves_nothing(bool checksDigest)
    {
        await gateway.SharedAsync();
        using StoreStub stub = StoreStub.Start();
        stub.ChecksDigest = checksDigest;
        using S3ObjectStore store = StoreOf(stub);
        await store.CheckAsync(Token);
        Assert.Empty(stub.Keys);
        WebHeaders put = new(stub.Requests.Single(request => request.Method == "PUT").Headers);
        await store.CreateAsync(Key, Contents.Of("a"), Token);
        Assert.Equal(new WebHeaders(stub.Requests.Last(request => request.Method == "PUT").Headers).Names, put.Names); // a policy sees no difference
        stub.Instead = request => request.HttpMethod == "PUT" ? StubAnswer.Error(403, "AccessDenied") : null;
        StorageException error = await Assert.ThrowsAsync<StorageException>(() => store.CheckAsync(Token));
        Assert.Equal(StorageFailure.Refused, error.Failure);
        Assert.Contains("403 AccessDenied", error.Message, StringComparison.Ordinal);
    }

    private static S3ObjectStore StoreOf(StoreStub stub) =>
        new(new StorageOptions { RawBucket = "events", S3Endpoint = stub.Endpoint, S3Timeout = TimeSpan.FromSeconds(20) }, TimeProvider.System);

    private sealed class WebHeaders(System.Net.WebHeaderCollection headers)
    {
        internal string[] Names { get; } =
            [.. headers.AllKeys.OfType<string>().Select(name => name.ToUpperInvariant()).Order(StringComparer.Ordinal)];
    }
}
