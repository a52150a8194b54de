// What Estat needs of a place for objects, held against every adapter.
using System.Security.Cryptography;
using Estat.Base.Storage;

namespace Estat.Base.Tests.Storage;

public abstract class StorageComplianceTests : StorageTests
{
    [Fact]
    public async Task What_was_created_is_there_byte_by_byte()
    {
        StoragePlace place = await NewAsync();
        string key = Contents.NewKey();
        ObjectContent content = Contents.Of(EventLines.Bodies(100));
        Assert.Equal(CreateOutcome.Created, await place.Store.CreateAsync(key, content, Token));
        Assert.Equal([key], await place.KeysAsync());
        Assert.Equal(EventLines.ReadAll(content.OpenContent()), await place.ReadAsync(key));
    }

    [Fact]
    public async Task A_key_that_is_taken_keeps_its_object()
    {
        StoragePlace place = await NewAsync();
        string key = Contents.NewKey();
        await place.Store.CreateAsync(key, Contents.Of("first"), Token);
        Assert.Equal(CreateOutcome.Exists, await place.Store.CreateAsync(key, Contents.Of("second"), Token));
        Assert.Equal(["first"], await place.BodiesAsync());
    }

    [Fact]
    public async Task Of_many_that_race_for_a_key_one_wins()
    {
        StoragePlace place = await NewAsync();
        string key = Contents.NewKey();
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task<bool?>[] racers = [.. Enumerable.Range(0, 16).Select(async n =>
        {
            await start.Task;
            try
            {
                return await place.Store.CreateAsync(key, Contents.Of($"racer-{n}"), Token) == CreateOutcome.Created;
            }
            catch (StorageException error) when (error.Failure == StorageFailure.Transient)
            {
                return (bool?)null; // a store may also ask a loser to try again
            }
        })];
        start.SetResult();
        bool?[] won = await Task.WhenAll(racers);
        Assert.Single(won, true);
        Assert.Equal([$"racer-{Array.IndexOf(won, true)}"], await place.BodiesAsync());
    }

    [Fact]
    public async Task The_seal_can_be_read_back()
    {
        StoragePlace place = await NewAsync();
        ObjectContent content = Contents.Of(EventLines.Bodies(10));
        string key = Contents.NewKey();
        await place.Store.CreateAsync(key, content, Token);
        Assert.Equal(content.Seal, await place.Store.ReadSealAsync(key, Token));
    }

    [Fact]
    public async Task The_seal_of_opaque_content_has_the_hash_of_its_bytes()
    {
        StoragePlace place = await NewAsync();
        byte[] bytes = [0, 1, 2, 3, (byte)'\n'];
        ObjectContent content = Opaque(bytes, "no gzip");
        await place.Store.CreateAsync("raw_dlq/broken.jsonl.gz", content, Token);
        Assert.Equal(content.Seal.Sha256, (await place.Store.ReadSealAsync("raw_dlq/broken.jsonl.gz", Token))!.Sha256);
        Assert.Equal(bytes, await place.ReadAsync("raw_dlq/broken.jsonl.gz"));
    }

    [Fact]
    public async Task A_missing_key_has_no_seal()
    {
        StoragePlace place = await NewAsync();
        Assert.Null(await place.Store.ReadSealAsync(Contents.NewKey(), Token));
    }

    [Fact]
    public async Task A_store_that_works_passes_its_check_and_the_check_leaves_nothing()
    {
        StoragePlace place = await NewAsync();
        await place.Store.CheckAsync(Token);
        Assert.Empty(await place.KeysAsync());
        Assert.Null(await new StorageProbe(place.Store, TimeProvider.System).AskAsync());
    }

    [Fact]
    public async Task An_object_of_8_MB_is_stored_whole()
    {
        StoragePlace place = await NewAsync();
        var bytes = new byte[8 << 20];
        new Random(8).NextBytes(bytes);
        await place.Store.CreateAsync("raw_dlq/large.jsonl", Opaque(bytes, "large"), Token);
        Assert.Equal(bytes, await place.ReadAsync("raw_dlq/large.jsonl"));
    }

    [Theory]
    [InlineData("a quote \", two  spaces and a \\")]
    [InlineData(" ünicode 한국어\r\nsecond line \0 ")]
    [InlineData("")]
    public async Task Whatever_the_reason_says_the_object_is_stored(string reason)
    {
        StoragePlace place = await NewAsync();
        string longReason = reason + new string('x', 3000);
        Assert.Equal(CreateOutcome.Created, await place.Store.CreateAsync("raw_dlq/a.jsonl.gz", Opaque([1, 2, 3], reason), Token));
        Assert.Equal(CreateOutcome.Created, await place.Store.CreateAsync("raw_dlq/b.jsonl.gz", Opaque([1, 2, 3], longReason), Token));
        Assert.NotNull(await place.Store.ReadSealAsync("raw_dlq/b.jsonl.gz", Token));
    }

    [Theory]
    [InlineData("", null, "a-b/1", "a/b.c/1", "a/b/1", "a/b/c/1", "a/b0", "raw/dt=1/1", "raw_dlq/1", "z", "\ue000/1", "\U00010000/1")]
    [InlineData("a", null, "a-b/1", "a/b.c/1", "a/b/1", "a/b/c/1", "a/b0")]
    [InlineData("a/", "a/b/1", "a/b/c/1", "a/b0")]
    [InlineData("a/b/", null, "a/b/1", "a/b/c/1")]
    [InlineData("raw", null, "raw/dt=1/1", "raw_dlq/1")]
    [InlineData("", "a/b", "a/b.c/1", "a/b/1", "a/b/c/1", "a/b0", "raw/dt=1/1", "raw_dlq/1", "z", "\ue000/1", "\U00010000/1")]
    [InlineData("", "\ue000/1", "\U00010000/1")]
    [InlineData("nothing", null)]
    [InlineData("", "\U00010001")]
    public async Task A_listing_is_in_the_order_of_the_keys_bytes(string prefix, string? after, params string[] expected)
    {
        StoragePlace place = await NewAsync();
        foreach (string key in new[] { "z", "\U00010000/1", "\ue000/1", "raw_dlq/1", "raw/dt=1/1", "a/b0", "a/b/c/1", "a/b/1", "a/b.c/1", "a-b/1" })
        {
            await place.Store.CreateAsync(key, Contents.Of(key), Token);
        }

        Assert.Equal(expected, await ListAsync(place, prefix, after));
    }

    [Fact]
    public async Task A_listing_tells_length_and_time()
    {
        StoragePlace place = await NewAsync();
        await place.Store.CreateAsync("raw/a", Opaque([1, 2, 3], "three"), Token);
        ObjectEntry entry = await place.Store.ListAsync("raw/", null, Token).SingleAsync(Token);
        Assert.Equal(3, entry.Bytes);
        Assert.InRange(entry.Modified, DateTimeOffset.UtcNow.AddMinutes(-5), DateTimeOffset.UtcNow.AddMinutes(5));
    }

    [Fact]
    public async Task What_is_opened_comes_byte_by_byte_with_what_the_store_keeps_beside_it()
    {
        StoragePlace place = await NewAsync();
        ObjectContent content = Contents.Of(EventLines.Bodies(5_000));
        await place.Store.CreateAsync("raw/a", content, Token);
        await place.Store.CreateAsync("raw_dlq/b", Opaque([1, 2], "broken"), Token);
        await using OpenObject sound = (await place.Store.OpenAsync("raw/a", Token))!;
        using var copy = new MemoryStream();
        await sound.Content.CopyToAsync(copy, Token);
        Assert.Equal(EventLines.ReadAll(content.OpenContent()), copy.ToArray());
        Assert.Equal(("raw/a", copy.Length), (sound.Entry.Key, sound.Entry.Bytes));
        await using OpenObject broken = (await place.Store.OpenAsync("raw_dlq/b", Token))!;
        bool kept = place.Store.KeepsMetadata;
        Assert.Equal(
            kept ? (content.Seal, "application/x-ndjson", "gzip", null) : (null, null, null, null),
            (sound.Seal, sound.ContentType, sound.ContentEncoding, sound.Reason));
        Assert.Equal(kept ? ("application/octet-stream", null, "broken")
            : (null, null, null), (broken.ContentType, broken.ContentEncoding, broken.Reason));
    }

    [Fact]
    public async Task What_is_deleted_is_gone_and_nothing_else()
    {
        StoragePlace place = await NewAsync();
        await place.Store.CreateAsync("raw/a", Contents.Of("a"), Token);
        await place.Store.CreateAsync("raw/b", Contents.Of("b"), Token);
        Assert.True(await place.Store.DeleteAsync("raw/a", Token));
        Assert.Null(await place.Store.OpenAsync("raw/a", Token));
        Assert.Equal(["raw/b"], await place.KeysAsync());
        await place.Store.DeleteAsync("raw/a", Token);
    }

    [Fact]
    public async Task A_create_that_is_cancelled_ends_as_cancelled()
    {
        StoragePlace place = await NewAsync();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            place.Store.CreateAsync(Contents.NewKey(), Contents.Of("a"), cancelled.Token));
        Assert.Empty(await place.KeysAsync());
    }

    protected static async Task<string[]> ListAsync(StoragePlace place, string prefix, string? after = null) =>
        await place.Store.ListAsync(prefix, after, Token).Select(entry => entry.Key).ToArrayAsync(Token);

    internal static ObjectContent Opaque(byte[] bytes, string reason) =>
        new(() => new MemoryStream(bytes), new Seal(0, bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes)), 0), IsGzip: false, reason);
}
