// A real S3 with 100,000 events in some hundred objects, made by a real server, for all tests that read a lake.
using System.Text;
using Amazon.S3.Model;
using Estat.Testing;

namespace Estat.Cli.Tests.Lake;

/// <summary>Events are <c>{"n":0…99999,"page":{"path":"/p0…/p6"}}</c>. Tests leave the bucket as it is.</summary>
public sealed class LakeBucket : IAsyncLifetime
{
    internal const int Events = 100_000;
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private const int EventsARequest = 5000;
    private CephRgw? _rgw;
    private string _missing = "";

    internal CephRgw Rgw
    {
        get
        {
            Assert.SkipWhen(_rgw is null, _missing);
            return _rgw;
        }
    }

    /// <summary>The bucket; a foreign object <c>a.txt</c> lies in it outside of <c>raw/</c>.</summary>
    internal string Name { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (!CephRgw.Available(out _missing))
        {
            return;
        }

        _rgw = await CephRgw.StartAsync();
        Name = await _rgw.CreateBucketAsync();
        await _rgw.Client.PutObjectAsync(new PutObjectRequest { BucketName = Name, Key = "a.txt", ContentBody = "foreign" });
        using var folder = new TempFolder();
        await using ServerProcess server = await StartServerAsync(Name, folder);
        for (int first = 0; first < Events; first += EventsARequest)
        {
            var lines = new StringBuilder();
            for (int n = first; n < first + EventsARequest; n++)
            {
                lines.Append(System.Globalization.CultureInfo.InvariantCulture, $"{{\"n\":{n},\"page\":{{\"path\":\"/p{n % 7}\"}}}}\n");
            }

            await Wait.UntilAsync(async () =>
            {
                using HttpResponseMessage answer = await server.Client.PostAsync(
                    "/collect/batch", new StringContent(lines.ToString(), Encoding.UTF8, "application/x-ndjson"));
                return answer.IsSuccessStatusCode;
            }, Limit, "room for a batch");
        }

        Assert.Equal(0, await LakeBucket.StopAsync(server));
    }

    public async ValueTask DisposeAsync()
    {
        if (_rgw is not null)
        {
            await _rgw.DisposeAsync();
        }
    }

    internal Task<ServerProcess> StartServerAsync(string bucket, TempFolder folder) =>
        ServerProcess.StartAsync(new Dictionary<string, string>(Environment(bucket))
    {
        ["SPOOL_DIR"] = folder["spool"],
        ["SPOOL_VOLATILE"] = "true",
        ["DLQ_DIR"] = folder["dlq"],
        ["BATCH_SIZE"] = "1000",
        ["S3_TIMEOUT"] = "30s",
    });

    /// <summary>Lets a server store what it has, and end.</summary>
    internal static Task<int> StopAsync(ServerProcess server)
    {
        server.Terminate();
        return server.WaitForExitAsync(Limit);
    }

    /// <summary>What a process is told to use a bucket.</summary>
    internal Dictionary<string, string> Environment(string bucket, string? endpoint = null) => new()
    {
        ["RAW_BUCKET"] = bucket,
        ["S3_ENDPOINT"] = endpoint ?? Rgw.Endpoint,
        ["AWS_ACCESS_KEY_ID"] = Rgw.AccessKey,
        ["AWS_SECRET_ACCESS_KEY"] = Rgw.SecretKey,
    };

    /// <summary>All keys below <c>raw/</c>, with their ETags.</summary>
    internal async Task<SortedDictionary<string, string>> ObjectsAsync(string bucket)
    {
        var objects = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await foreach (S3Object entry in Rgw.Client.Paginators.ListObjectsV2(
            new ListObjectsV2Request { BucketName = bucket, Prefix = "raw/" }).S3Objects)
        {
            objects.Add(entry.Key, entry.ETag);
        }

        return objects;
    }

    /// <summary>The numbers of all events in a bucket, in order.</summary>
    internal async Task<int[]> NumbersAsync(string bucket) =>
    [
        .. (await StoredEvents.FromBucketAsync(Rgw.Client, bucket, "raw/"))
            .Select(stored => System.Text.Json.JsonDocument.Parse(stored.Body).RootElement.GetProperty("n").GetInt32()).Order(),
    ];
}

/// <summary>One after another: each uses both cores.</summary>
[CollectionDefinition(Name)]
public sealed class LakeTests : ICollectionFixture<LakeBucket>
{
    public const string Name = "Lake";
}
