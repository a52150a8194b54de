// What S3 says to anybody: its time, and a bucket's region.
using System.Globalization;
using Estat.Api.Options;
using Estat.Base.Network;
using Estat.Base.Options;

namespace Estat.Cli.Check;

/// <summary>From the headers of an unsigned HEAD: they are the same for a caller that is refused.</summary>
/// <param name="Region">The bucket's region, where the store says it (AWS does).</param>
/// <param name="Ahead">How far this machine's clock is before the store's, to the second.</param>
internal sealed record S3Answer(string? Region, TimeSpan Ahead)
{
    /// <summary>Null when nothing answers: the probe that follows says why.</summary>
    internal static async Task<S3Answer?> AskAsync(EstatOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        Uri url = options.Collect.Storage.S3Endpoint is { } endpoint
            ? new Uri(endpoint, $"{endpoint.AbsolutePath.TrimEnd('/')}/{options.Collect.Storage.RawBucket}")
            : BucketName.HostOf(options.Collect.Storage.RawBucket!) is { } accessPoint ? new Uri($"https://{accessPoint}/")
            : new Uri($"https://s3.{options.Collect.Storage.AwsRegion}.amazonaws.com/{options.Collect.Storage.RawBucket}");
        TimeSpan timeout = options.Collect.Storage.S3Timeout;
        using var client = new HttpClient(
            new BrokenConnections(new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = timeout })) { Timeout = timeout };
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, url);
            long started = time.GetTimestamp();
            using HttpResponseMessage answer = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
            DateTimeOffset now = time.GetUtcNow() - (time.GetElapsedTime(started) / 2);
            if (answer.Headers.Date is not { } date)
            {
                return null;
            }

            // The header has whole seconds: within one of it both clocks are the same.
            TimeSpan ahead = now - date;
            ahead = ahead > TimeSpan.Zero && ahead < TimeSpan.FromSeconds(1) ? TimeSpan.Zero : ahead;
            string? region = answer.Headers.TryGetValues("x-amz-bucket-region", out IEnumerable<string>? regions) ? regions.FirstOrDefault() : null;
            return new S3Answer(string.IsNullOrEmpty(region) ? null : region.ToLower(CultureInfo.InvariantCulture), ahead);
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }
}
