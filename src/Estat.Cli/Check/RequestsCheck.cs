// Can the table of requests be used?
using Estat.Api.Options;
using Estat.Requests.Aws.Hosting;
using Estat.Requests.Storing;

namespace Estat.Cli.Check;

/// <summary>Reads one item, and writes nothing: only a running node shows whether it may write.</summary>
internal static class RequestsCheck
{
    internal static async Task<Finding> FindAsync(EstatOptions options, CancellationToken cancellationToken)
    {
        try
        {
            (string where, TimeSpan clock) = await TableLook.TryAsync(options.Requests, options.Collect.Storage.AwsRegion, cancellationToken)
                .ConfigureAwait(false);
            return clock.Duration() < TableLook.MostOff ? Finding.Good("requests", $"{where} can be read")
                : Finding.Bad("requests", $"this machine's clock is {clock.Duration().TotalSeconds:0.0} s off DynamoDB's", "set it (NTP)");
        }
        catch (StoreException error)
        {
            return Finding.Bad("requests", error.Message.TrimEnd('.'), "see docs/requests.md, \"On several nodes\"");
        }
    }
}
