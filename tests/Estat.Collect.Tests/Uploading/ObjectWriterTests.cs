// A taken key: what lies there decides, and however often an upload is repeated, storage holds the batch once.
using Estat.Base.Metrics;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Metrics;
using Estat.Collect.Uploading;
using Estat.Lake.Names;

namespace Estat.Collect.Tests.Uploading;

public abstract class ObjectWriterTests : StorageTests
{
    private protected const string Key = "raw/dt=2026-01-02/hr=03/1767323045_a_1.jsonl.gz";
    private const string RestKey = "raw/dt=2026-01-02/hr=03/1767323045_a_1_rest.jsonl.gz";

    [Fact]
    public async Task A_repeated_upload_finds_itself()
    {
        using var rig = new Rig(await NewAsync());
        ObjectContent content = Batches.ContentOf("a", "b");
        Assert.Equal(Key, await rig.Writer.WriteAsync(Key, content, Token));
        Assert.Equal(Key, await rig.Writer.WriteAsync(Key, content, Token));
        Assert.Equal([Key], await rig.Place.KeysAsync());
        Assert.Equal(0, rig.Conflicts);
    }

    [Fact]
    public async Task The_same_lines_compressed_otherwise_are_the_same_batch()
    {
        using var rig = new Rig(await NewAsync());
        await rig.Writer.WriteAsync(Key, Batches.ContentOf(Batches.Of(Key, EventLines.Bodies(200), BatchEncoder.Gzip(1))), Token);
        await rig.Writer.WriteAsync(Key, Batches.ContentOf(Batches.Of(Key, EventLines.Bodies(200), BatchEncoder.Gzip(9))), Token);
        Assert.Equal([Key], await rig.Place.KeysAsync());
        Assert.Equal(0, rig.Conflicts);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    [InlineData(99)]
    public async Task What_a_shorter_object_lacks_goes_beside_it(int already)
    {
        using var rig = new Rig(await NewAsync());
        await rig.Writer.WriteAsync(Key, Batches.ContentOf(EventLines.Bodies(already)), Token);
        ObjectContent whole = Batches.ContentOf(EventLines.Bodies(100));
        for (int repetition = 0; repetition < 3; repetition++)
        {
            Assert.Equal(RestKey, await rig.Writer.WriteAsync(Key, whole, Token));
        }

        Assert.Equal([Key, RestKey], await rig.Place.KeysAsync());
        Assert.Equal(EventLines.Bodies(100), await rig.Place.BodiesAsync());
        Assert.Equal(0, rig.Conflicts);
        Seal rest = (await rig.Place.Store.ReadSealAsync(RestKey, Token))!;
        Assert.Equal(100 - already, rest.Events);
    }

    [Fact]
    public async Task A_batch_goes_around_a_foreign_object_and_says_so()
    {
        using var rig = new Rig(await NewAsync());
        await rig.Place.Store.CreateAsync(Key, Batches.ContentOf("foreign"), Token);
        ObjectContent mine = Batches.ContentOf("a", "b");
        string other = ObjectKeys.WithSuffix(Key, "_" + mine.Seal.Sha256[..16]);
        Assert.Equal(other, await rig.Writer.WriteAsync(Key, mine, Token));
        Assert.Equal(1, rig.Conflicts);
        Assert.Equal(other, await rig.Writer.WriteAsync(Key, mine, Token));
        Assert.Equal([Key, other], await rig.Place.KeysAsync());
        Assert.Equal(["foreign", "a", "b"], await rig.Place.BodiesAsync());
    }

    [Fact]
    public async Task What_a_longer_object_begins_with_is_there_already()
    {
        using var rig = new Rig(await NewAsync());
        await rig.Place.Store.CreateAsync(Key, Batches.ContentOf("a", "b", "c"), Token);
        Assert.Equal(Key, await rig.Writer.WriteAsync(Key, Batches.ContentOf("a", "b"), Token));
        Assert.Equal(0, rig.Conflicts);
        Assert.Equal(["a", "b", "c"], await rig.Place.BodiesAsync());
    }

    [Fact]
    public async Task A_longer_object_that_begins_otherwise_is_foreign()
    {
        using var rig = new Rig(await NewAsync());
        await rig.Place.Store.CreateAsync(Key, Batches.ContentOf("a", "x", "c"), Token);
        await rig.Writer.WriteAsync(Key, Batches.ContentOf("a", "b"), Token);
        Assert.Equal(1, rig.Conflicts);
        Assert.Equal(["a", "x", "c", "a", "b"], await rig.Place.BodiesAsync());
    }

    [Theory]
    [InlineData(3, 2, 1)]
    [InlineData(1, 2, 3)]
    [InlineData(2, 3, 1)]
    [InlineData(2, 1, 3)]
    public async Task However_much_of_a_batch_each_of_three_silos_holds_every_event_is_stored_once(int first, int second, int third)
    {
        using var rig = new Rig(await NewAsync());
        string[] bodies = [.. EventLines.Bodies(30, first: 10)]; // two digits each: sorted as sent
        foreach (int part in new[] { first, second, third })
        {
            await rig.Writer.WriteAsync(Key, Batches.ContentOf(bodies[..(part * 10)]), Token);
        }

        Assert.Equal(bodies, (await rig.Place.BodiesAsync()).Order(StringComparer.Ordinal));
        Assert.Equal(0, rig.Conflicts);
    }

    [Fact]
    public async Task A_foreign_rest_does_not_stand_in_for_mine()
    {
        using var rig = new Rig(await NewAsync());
        await rig.Place.Store.CreateAsync(Key, Batches.ContentOf("a"), Token);
        await rig.Place.Store.CreateAsync(RestKey, Batches.ContentOf("foreign"), Token);
        string stored = await rig.Writer.WriteAsync(Key, Batches.ContentOf("a", "b", "c"), Token);
        Assert.StartsWith(ObjectKeys.NameOf(RestKey), ObjectKeys.NameOf(stored), StringComparison.Ordinal);
        Assert.Equal(["b", "c"], EventLines.DecodeGzip(await rig.Place.ReadAsync(stored)));
        Assert.Equal(1, rig.Conflicts);
    }

    [Fact]
    public async Task When_every_key_is_foreign_the_upload_is_refused_and_nothing_is_overwritten()
    {
        using var rig = new Rig(await NewAsync());
        ObjectContent mine = Batches.ContentOf("mine");
        await rig.Place.Store.CreateAsync(Key, Batches.ContentOf("foreign"), Token);
        await rig.Place.Store.CreateAsync(ObjectKeys.WithSuffix(Key, "_" + mine.Seal.Sha256[..16]), Batches.ContentOf("foreign, too"), Token);
        Assert.Equal(StorageFailure.Refused, (await Assert.ThrowsAsync<StorageException>(() => rig.Writer.WriteAsync(Key, mine, Token))).Failure);
        Assert.Equal(["foreign", "foreign, too"], (await rig.Place.BodiesAsync()).Order(StringComparer.Ordinal));
    }

    private sealed class Rig : IDisposable
    {
        private readonly EstatInstruments _instruments = new();
        private readonly PrometheusText _metrics;

        internal Rig(StoragePlace place)
        {
            Place = place;
            _metrics = new PrometheusText(_instruments.Meter);
            Writer = new ObjectWriter(place.Store, _instruments, NullLogger.Instance);
        }

        internal StoragePlace Place { get; }

        internal ObjectWriter Writer { get; }

        internal double Conflicts => _metrics.Value("estat_key_conflicts_total");

        public void Dispose()
        {
            _metrics.Dispose();
            _instruments.Dispose();
        }
    }
}

public sealed class ObjectWriterOnFolderTests : ObjectWriterTests
{
    protected override Task<StoragePlace> NewPlaceAsync() => Task.FromResult<StoragePlace>(new FolderPlace());
}

public sealed class ObjectWriterOnS3Tests(S3Gateway gateway) : ObjectWriterTests
{
    [Fact]
    public async Task A_taken_key_is_read_before_it_is_believed()
    {
        await gateway.SharedAsync(); // for its credentials
        using StoreStub stub = StoreStub.Start();
        using S3ObjectStore store = new(
            new StorageOptions { RawBucket = "events", S3Endpoint = stub.Endpoint, S3Timeout = TimeSpan.FromSeconds(20) }, TimeProvider.System);
        await store.CreateAsync(Key, Batches.ContentOf("a"), Token);
        Assert.Equal(CreateOutcome.Exists, await store.CreateAsync(Key, Batches.ContentOf("b"), Token));
        stub.Instead = request => request.HttpMethod == "PUT"
            ? StubAnswer.Error(412, "PreconditionFailed") : new StubAnswer(200, "<html><body>Please sign in<br></body></html>", "text/html");
        using var instruments = new EstatInstruments();
        var writer = new ObjectWriter(store, instruments, NullLogger.Instance);
        await Assert.ThrowsAsync<StorageException>(() => writer.WriteAsync(Key, Batches.ContentOf("a"), Token));
    }

    protected override async Task<StoragePlace> NewPlaceAsync() => await BucketPlace.CreateAsync(await gateway.SharedAsync());
}
