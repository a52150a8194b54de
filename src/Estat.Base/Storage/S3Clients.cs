// How the AWS SDK is set up for a node's options: the one place for readers, writers and estat check.
using Amazon;
using Amazon.Runtime;
using Amazon.S3;

namespace Estat.Base.Storage;

/// <summary>No request is sent here.</summary>
internal static class S3Clients
{
    /// <summary>The client's configuration, and the region that the links of the credential chain ask in.</summary>
    internal static AmazonS3Config ConfigOf(StorageOptions options)
    {
        // STS and SSO are asked in this region. The SDK by itself would take us-east-1, which a private network may not reach.
        AWSConfigs.AWSRegion = options.AwsRegion;
        var config = new AmazonS3Config
        {
            MaxErrorRetry = 0,
            MaxStaleConnectionRetries = 0, // not among the above: the SDK would send a PUT up to ten times more when connections break
            ThrottleRetries = false,
            Timeout = options.S3Timeout + TimeSpan.FromSeconds(1), // S3ObjectStore's token is the clock; this only ends what ignores it
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            UseArnRegion = true, // an access point's ARN names its region
            HttpClientFactory = new AwsHttpClients { ExpectsContinue = options.S3ExpectContinue },
        };
        if (options.S3Endpoint is null)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(options.AwsRegion);
        }
        else
        {
            config.ServiceURL = options.S3Endpoint.ToString();
            config.AuthenticationRegion = options.AwsRegion;
            config.ForcePathStyle = true;
        }

        return config;
    }
}
