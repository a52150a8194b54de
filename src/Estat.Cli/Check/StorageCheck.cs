// The bucket, or the folder in its place: all that the server does with it, on a probe key.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Amazon.Runtime;
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Base.Storage;
using Estat.Cli.Frame;

namespace Estat.Cli.Check;

/// <summary>Probes lie below <c>DLQ_PREFIX</c>, where no reader of events looks.</summary>
internal static class StorageCheck
{
    private const string ProbeFolder = ".estat-check";
    private const string Bucket = "bucket";
    private const string Clock = "clock";
    private static readonly TimeSpan WorthSaying = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RefusedByS3 = TimeSpan.FromMinutes(15);

    internal static async IAsyncEnumerable<Finding> FindAsync(
        EstatOptions options, TimeProvider time, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (options.Collect.Storage.RawBucket is not null)
        {
            yield return Credentials(options);
            S3Answer? answer = await S3Answer.AskAsync(options, time, cancellationToken).ConfigureAwait(false);
            if (answer?.Region is { } region && region != options.Collect.Storage.AwsRegion && !BucketName.IsArn(options.Collect.Storage.RawBucket))
            {
                yield return Finding.Bad("region", $"the bucket is in {region}, AWS_REGION is {options.Collect.Storage.AwsRegion}",
                    $"set AWS_REGION={region}");
            }

            if (answer is not null)
            {
                yield return ClockOf(answer.Ahead);
            }
        }

        yield return await ProbeAsync(options, time, cancellationToken).ConfigureAwait(false);
    }

    internal static Finding ClockOf(TimeSpan ahead)
    {
        string by = $"{Words.Duration(ahead.Duration())} {(ahead > TimeSpan.Zero ? "ahead of" : "behind")} storage's";
        const string Fix = "set it by NTP (timedatectl set-ntp true, chronyd); S3 refuses requests that are 15 minutes off, and object keys and ts "
            + "come from this clock";
        return ahead.Duration() >= RefusedByS3 ? Finding.Bad(Clock, $"this machine's clock is {by}", Fix)
            : ahead.Duration() >= WorthSaying ? Finding.Warning(Clock, $"this machine's clock is {by}", Fix)
            : Finding.Good(Clock, "within 5 s of storage's");
    }

    // Credentials of a role are fetched here, and by the probe that follows, as the server fetches them.
    private static Finding Credentials(EstatOptions options)
    {
        const string Check = "credentials";
        const string Fix = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give this machine a role (docs/deploying.md)";
        string from = "AWS' usual chain";
        try
        {
            AWSCredentials found = CredentialLinks.Resolve(options.Collect.Storage);
            from = CredentialLinks.NameOf(found);
            string id = found.GetCredentials().AccessKey;
            return Finding.Good(Check, $"from {from}, access key {id[..Math.Min(4, id.Length)]}…");
        }
        catch (Exception error) when (error is AmazonClientException or AmazonServiceException or InvalidOperationException
            or HttpRequestException or IOException or ArgumentException or Amazon.Runtime.CredentialManagement.ProfileNotFoundException)
        {
            return Finding.Bad(Check, $"from {from}: {CredentialLinks.Explain(error) ?? CredentialLinks.Innermost(error)}", Fix);
        }
    }

    private static async Task<Finding> ProbeAsync(EstatOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        bool isS3 = options.Collect.Storage.RawBucket is not null;
        string check = isS3 ? Bucket : "storage";
        string key = $"{options.Collect.Storage.DlqPrefix}/{ProbeFolder}/{Guid.NewGuid():N}";
        byte[] text = Encoding.UTF8.GetBytes("estat check wrote this; it may be deleted\n");
        var content = new ObjectContent(
            () => new MemoryStream(text, writable: false), ContentCheck.SealOfBytes(new MemoryStream(text), events: 0), IsGzip: false);
        long started = Stopwatch.GetTimestamp();
        IObjectCatalog? store = null;
        bool mayBeThere = false;
        try
        {
            store = ObjectStores.Open(options.Collect.ObjectStorage, time);
            await store.CheckAsync(cancellationToken).ConfigureAwait(false);
            if (isS3)
            {
                // Nothing lies there, and that is to be said: an upload whose ETag is no MD5 counts by such a HEAD, as does one that is repeated.
                _ = await store.ReadSealAsync($"{options.Collect.Storage.RawPrefix}/{ProbeFolder}/{Guid.NewGuid():N}", cancellationToken)
                    .ConfigureAwait(false);
            }

            mayBeThere = true;
            if (await store.CreateAsync(key, content, cancellationToken).ConfigureAwait(false) != CreateOutcome.Created)
            {
                return Finding.Bad(check, $"{store.Description}: says that a new object key is in use already",
                    "find out what answers instead of the store, such as a proxy or a login page");
            }

            if (await store.CreateAsync(key, content, cancellationToken).ConfigureAwait(false) != CreateOutcome.Exists)
            {
                return Finding.Bad(
                    check, $"{store.Description}: took a second object under the same object key, so it ignores If-None-Match: *",
                    "use a store with conditional writes (AWS S3, MinIO, a recent Ceph RGW); without them a repeated upload overwrites an object");
            }

            using Stream? read = await store.ReadAsync(key, cancellationToken).ConfigureAwait(false);
            using var back = new MemoryStream();
            if (read is not null)
            {
                await read.CopyToAsync(back, cancellationToken).ConfigureAwait(false);
            }

            if (!back.ToArray().AsSpan().SequenceEqual(text))
            {
                return Finding.Bad(check, $"{store.Description}: returns other bytes than it was sent",
                    "look for a proxy in between that compresses or caches");
            }

            string left = await DeleteAsync(store, key).ConfigureAwait(false);
            mayBeThere = false;
            string took = Stopwatch.GetElapsedTime(started).TotalMilliseconds.ToString("0", CultureInfo.InvariantCulture);
            return Finding.Good(check, $"{store.Description}: created, refused a second time, read, listed in {took} ms{left}");
        }
        catch (StorageException error)
        {
            return Finding.Bad(check, error.Message, FixOf(error, options));
        }
        catch (IOException error)
        {
            return Finding.Bad(check, error.Message, "name a folder that this user may write, on a disk with room");
        }
        finally
        {
            if (mayBeThere)
            {
                await DeleteAsync(store!, key).ConfigureAwait(false);
            }

            store?.Dispose();
        }
    }

    // The server itself needs no right to delete.
    private static async Task<string> DeleteAsync(IObjectCatalog store, string key)
    {
        try
        {
            await store.DeleteAsync(key, CancellationToken.None).ConfigureAwait(false);
            return "; the probe is deleted again";
        }
        catch (StorageException)
        {
            return $"; the probe {key} stays, because these credentials may not delete; the server does not need to";
        }
    }

    private static string FixOf(StorageException error, EstatOptions options) => error.Permission switch
    {
        "s3:GetObject" =>
            $"allow s3:GetObject on {options.Collect.Storage.RawPrefix}/* and {options.Collect.Storage.DlqPrefix}/* of the bucket, and s3:ListBucket "
            + "on the bucket (deploy/ecs/task-policy.json). The server needs it to check uploads whose ETag is not an MD5 (S3_SSE=aws:kms), and "
            + "repeated uploads: without it their batches stay on the server's disk",
        { } permission => $"allow {permission} for these credentials (deploy/ecs/task-policy.json); the server starts anyway, and keeps events on "
            + "its disk",
        _ => FixOf(error.Failure, options),
    };

    private static string FixOf(StorageFailure failure, EstatOptions options) => failure switch
    {
        StorageFailure.Transient => options.Collect.Storage.S3Endpoint is null
            ? "check the network to S3 (VPC endpoint, NAT, proxy) and AWS_REGION; the server starts anyway, and keeps events on its disk"
            : $"check that {options.Collect.Storage.S3Endpoint} runs and can be reached from here; the server starts anyway, and keeps events on its "
                + "disk",
        StorageFailure.Disk => "name a folder on a disk with room (STORAGE_DIR)",
        _ => "fix what the store reports; the server starts anyway, and keeps events on its disk",
    };
}
