// Makes a bucket; curl of older distributions cannot sign such a request.
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Estat.Bench;

internal static class Bucket
{
    /// <summary>Credentials come from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.</summary>
    internal static async Task CreateAsync(string endpoint, string name)
    {
        var config = new AmazonS3Config { ServiceURL = endpoint, AuthenticationRegion = "us-east-1", ForcePathStyle = true };
        using var client = new AmazonS3Client(new EnvironmentVariablesAWSCredentials(), config);
        await client.PutBucketAsync(new PutBucketRequest { BucketName = name });
    }
}
