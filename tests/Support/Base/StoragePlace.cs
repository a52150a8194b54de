// A place for objects together with a way to look into it that does not go through the code under test.
using Amazon.S3.Model;
using Estat.Base.Storage;

namespace Estat.Tests.Support;

/// <summary>An empty folder or an empty bucket.</summary>
public abstract class StoragePlace : IAsyncDisposable
{
    /// <summary>The store under test.</summary>
    internal abstract IObjectCatalog Store { get; }

    /// <summary>All keys, in order.</summary>
    internal abstract Task<string[]> KeysAsync();

    /// <summary>An object's bytes.</summary>
    internal abstract Task<byte[]> ReadAsync(string key);

    /// <summary>The bodies in all gzip objects, each key's in order, keys in order.</summary>
    internal async Task<string[]> BodiesAsync()
    {
        var bodies = new List<string>();
        foreach (string key in await KeysAsync())
        {
            bodies.AddRange(EventLines.DecodeGzip(await ReadAsync(key)));
        }

        return [.. bodies];
    }

    public abstract ValueTask DisposeAsync();
}

/// <summary>A folder.</summary>
internal sealed class FolderPlace : StoragePlace
{
    private readonly TempFolder _folder = new();

    internal FolderPlace() => Store = new FolderObjectStore(_folder.Path, TimeProvider.System);

    internal override IObjectCatalog Store { get; }

    internal string Path => _folder.Path;

    internal override Task<string[]> KeysAsync() => Task.FromResult<string[]>(
    [
        .. Directory.EnumerateFiles(_folder.Path, "*", SearchOption.AllDirectories)
            .Select(file => System.IO.Path.GetRelativePath(_folder.Path, file)).Order(StringComparer.Ordinal),
    ]);

    internal override Task<byte[]> ReadAsync(string key) => File.ReadAllBytesAsync(_folder[key]);

    public override ValueTask DisposeAsync()
    {
        Store.Dispose();
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>A bucket of its own, reached directly or through a proxy.</summary>
internal sealed class BucketPlace : StoragePlace
{
    private BucketPlace(CephRgw gateway, StorageOptions options, FaultProxy? proxy)
    {
        Gateway = gateway;
        Options = options;
        Proxy = proxy;
        Store = new S3ObjectStore(options, TimeProvider.System);
    }

    internal override IObjectCatalog Store { get; }

    internal CephRgw Gateway { get; }

    internal StorageOptions Options { get; }

    /// <summary>What stands between the store and the gateway; null without.</summary>
    internal FaultProxy? Proxy { get; }

    internal string Bucket => Options.RawBucket!;

    internal static async Task<BucketPlace> CreateAsync(CephRgw gateway, bool behindProxy = false, TimeSpan? timeout = null)
    {
        FaultProxy? proxy = behindProxy ? FaultProxy.Start(gateway.Port) : null;
        var options = new StorageOptions
        {
            RawBucket = await gateway.CreateBucketAsync(),
            S3Endpoint = new Uri(proxy?.Endpoint ?? gateway.Endpoint),
            S3Timeout = timeout ?? TimeSpan.FromSeconds(20),
        };
        return new BucketPlace(gateway, options, proxy);
    }

    internal override async Task<string[]> KeysAsync()
    {
        ListObjectsV2Response list = await Gateway.Client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = Bucket });
        return [.. (list.S3Objects ?? []).Select(entry => entry.Key).Order(StringComparer.Ordinal)];
    }

    internal override async Task<byte[]> ReadAsync(string key)
    {
        using GetObjectResponse response = await Gateway.Client.GetObjectAsync(Bucket, key);
        return EventLines.ReadAll(response.ResponseStream);
    }

    public override ValueTask DisposeAsync()
    {
        Store.Dispose();
        Proxy?.Dispose();
        return ValueTask.CompletedTask;
    }
}
