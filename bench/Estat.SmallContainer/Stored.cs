// The bucket: made before, read back after.
using Amazon.Runtime;
using Amazon.S3;
using Estat.Testing;

namespace Estat.SmallContainer;

/// <summary>Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.</summary>
internal static class Stored
{
    internal static async Task CreateBucketAsync(string endpoint, string bucket)
    {
        using var client = Client(endpoint);
        await client.PutBucketAsync(bucket);
    }

    /// <summary>Every object is read, unpacked and parsed.</summary>
    internal static async Task<Audit> AuditAsync(string endpoint, string bucket, SendReport report)
    {
        using var client = Client(endpoint);
        var numbers = await StoredEvents.SelectFromBucketAsync(
            client, bucket, "", stored => stored.Events.Select(line => EventSender.NumberOf(line.Body)).OfType<long>().ToArray());
        return Audit.Of(report.Acknowledged, numbers.SelectMany(number => number));
    }

    private static AmazonS3Client Client(string endpoint) => new(
        new EnvironmentVariablesAWSCredentials(),
        new AmazonS3Config { ServiceURL = endpoint, AuthenticationRegion = "us-east-1", ForcePathStyle = true });
}
