// How the AWS SDK is set up for the table.
using Amazon;
using Amazon.DynamoDBv2;
using Amazon.Runtime;
using Estat.Requests.Options;

namespace Estat.Requests.Aws.Dynamo;

/// <summary>No request is sent here.</summary>
internal static class DynamoClients
{
    // Requests at once: HTTP/1.1 needs a connection for each.
    private const int Connections = 256;

    /// <summary>A client without retries of its own. An emulator gets made-up credentials.</summary>
    internal static AmazonDynamoDBClient Open(RequestsOptions options, string region, HttpClientFactory http, TimeSpan timeout)
    {
        var config = new AmazonDynamoDBConfig
        {
            MaxErrorRetry = 0,
            MaxStaleConnectionRetries = 0,
            ThrottleRetries = false,
            MaxConnectionsPerServer = Connections,
            Timeout = timeout + TimeSpan.FromSeconds(1), // the operation's token is the clock; this only ends what ignores it
            HttpClientFactory = http,
        };
        if (options.DynamoDbEndpoint is not { } endpoint)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
            return new AmazonDynamoDBClient(config);
        }

        config.ServiceURL = endpoint.ToString();
        config.AuthenticationRegion = region;
        return new AmazonDynamoDBClient(new BasicAWSCredentials("emulator", "emulator"), config);
    }
}
