// A real S3 for a node under measurement: Ceph's RADOS gateway over bluestore, on the same disk and the same cores.
using Amazon.S3.Model;
using Estat.Bench.Nodes;
using Estat.Testing;

namespace Estat.Bench.EndToEnd;

/// <summary>One gateway. Every node gets a bucket of its own.</summary>
internal sealed class CephStorage : IAsyncDisposable
{
    private const int DeletedAtOnce = 1000;

    private CephStorage(CephRgw gateway) => Gateway = gateway;

    internal CephRgw Gateway { get; }

    internal static async Task<CephStorage> StartAsync() => new(await CephRgw.StartAsync(onDisk: true));

    /// <summary>Starts a node over a new bucket.</summary>
    internal async Task<(EstatNode Node, string Bucket)> StartNodeAsync(string folder, params (string Name, string Value)[] options)
    {
        string bucket = await Gateway.CreateBucketAsync();
        EstatNode node = await EstatNode.StandaloneAsync(
            folder,
            [
                ("AWS_ACCESS_KEY_ID", Gateway.AccessKey), ("AWS_SECRET_ACCESS_KEY", Gateway.SecretKey), ("S3_ENDPOINT", Gateway.Endpoint),
                ("RAW_BUCKET", bucket), .. options,
            ]);
        return (node, bucket);
    }

    /// <summary>Reads everything in a bucket, line by line, and deletes it. An object that is not sound ends the run.</summary>
    internal async Task<(long Objects, long Events)> CountAndDeleteAsync(string bucket)
    {
        IReadOnlyList<(string Key, long Events)> objects =
            await StoredEvents.SelectFromBucketAsync(Gateway.Client, bucket, "", stored => (stored.Key, (long)stored.Events.Count));
        foreach ((string Key, long Events)[] some in objects.Chunk(DeletedAtOnce))
        {
            List<KeyVersion> keys = [.. some.Select(one => new KeyVersion { Key = one.Key })];
            await Gateway.Client.DeleteObjectsAsync(new DeleteObjectsRequest { BucketName = bucket, Objects = keys });
        }

        return (objects.Count, objects.Sum(one => one.Events));
    }

    public ValueTask DisposeAsync() => Gateway.DisposeAsync();
}
