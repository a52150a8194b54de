// What the gateway itself says it did: an object that was written twice under one key looks, once it lies there, like one that was written once.

using System.Text.RegularExpressions;
using Amazon.S3;
using Amazon.S3.Model;

namespace Estat.Testing;

/// <summary>
/// The gateway's log of requests, which names each with its status, whether or not anybody was left to hear the answer. A gateway that is stopped may
/// leave its last requests out of it, so it can miss a write, and never invents one.
/// </summary>
public sealed partial class GatewayLog
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);
    private readonly IAmazonS3 _s3;
    private readonly string _file;
    private readonly string _bucket;
    private readonly long _from;

    internal GatewayLog(IAmazonS3 s3, string file, string bucket)
    {
        _s3 = s3;
        _file = file;
        _bucket = bucket;
        _from = new FileInfo(file).Length;
    }

    /// <summary>How often each key of the bucket was written since this log was opened.</summary>
    /// <exception cref="TimeoutException">The gateway does not log what it is asked.</exception>
    public async Task<IReadOnlyDictionary<string, int>> WritesAsync()
    {
        // Lines come in the order in which requests ended: behind this one's, all of the earlier ones' are there.
        var mark = Guid.NewGuid().ToString("n");
        await _s3.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _bucket, Prefix = mark, MaxKeys = 1 });
        var writes = new Dictionary<string, int>(StringComparer.Ordinal);
        await Wait.UntilAsync(() => TryRead(mark, writes), Limit, $"the request marked {mark} in {_file}");
        return writes;
    }

    private bool TryRead(string mark, Dictionary<string, int> writes)
    {
        writes.Clear();
        using var file = new FileStream(_file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Seek(_from, SeekOrigin.Begin);
        using var lines = new StreamReader(file);
        while (lines.ReadLine() is { } line)
        {
            if (line.Contains(mark, StringComparison.Ordinal))
            {
                return true;
            }

            if (SuccessfulPut().Match(line) is { Success: true } put && put.Groups["bucket"].ValueSpan.SequenceEqual(_bucket))
            {
                var key = Uri.UnescapeDataString(put.Groups["key"].Value);
                writes[key] = writes.GetValueOrDefault(key) + 1;
            }
        }

        return false;
    }

    [GeneratedRegex("""beast: .* "PUT /(?<bucket>[^/ ?]+)/(?<key>[^ ?]+)[^ ]* HTTP/1\.[01]" 200 """)]
    private static partial Regex SuccessfulPut();
}
