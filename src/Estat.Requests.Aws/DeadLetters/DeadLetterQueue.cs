// The queue that dead letters are copied to.
using System.Text.Json;
using Amazon;
using Amazon.Runtime;
using Amazon.SQS;
using Amazon.SQS.Model;
using Estat.Base.Storage;
using Estat.Requests.Campaigns;
using Estat.Requests.Options;

namespace Estat.Requests.Aws.DeadLetters;

/// <summary>A standard queue of SQS. Any thread.</summary>
internal sealed class DeadLetterQueue : IDisposable
{
    /// <summary>Messages in one sending; SQS' own limit.</summary>
    internal const int AtOnce = 10;

    private static readonly TimeSpan ForOne = TimeSpan.FromSeconds(5);

    private readonly AmazonSQSClient _client;
    private readonly string _url;

    /// <summary>No request is sent yet.</summary>
    /// <param name="options">The queue's URL, and where SQS is.</param>
    /// <param name="region">AWS_REGION.</param>
    internal DeadLetterQueue(RequestsOptions options, string region)
    {
        _url = options.DeadLetterQueue!.ToString();
        var config = new AmazonSQSConfig
        {
            MaxErrorRetry = 0,
            MaxStaleConnectionRetries = 0,
            ThrottleRetries = false,
            Timeout = ForOne,
            HttpClientFactory = new AwsHttpClients(),
        };
        if (options.SqsEndpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.ToString();
            config.AuthenticationRegion = region;
            _client = new AmazonSQSClient(new BasicAWSCredentials("emulator", "emulator"), config);
        }
        else
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
            _client = new AmazonSQSClient(config);
        }
    }

    /// <summary>Sends dead letters of a campaign.</summary>
    /// <param name="campaign">The campaign's id: the messages' group, so that one campaign's flood does not hide another's.</param>
    /// <param name="letters">1 to <see cref="AtOnce"/> requests.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Those that the queue has.</returns>
    /// <exception cref="AmazonServiceException">The queue refused, or was not reached: perhaps it has them all the same.</exception>
    internal async Task<IReadOnlyList<RequestRecord>> SendAsync(
        string campaign, IReadOnlyList<RequestRecord> letters, CancellationToken cancellationToken)
    {
        SendMessageBatchResponse answer = await _client.SendMessageBatchAsync(
            new SendMessageBatchRequest
            {
                QueueUrl = _url,
                Entries = [.. letters.Select((letter, i) => new SendMessageBatchRequestEntry
                {
                    Id = $"m{i}", MessageGroupId = campaign, MessageBody = TextOf(campaign, letter),
                })],
            },
            cancellationToken).ConfigureAwait(false);
        HashSet<string> sent = [.. (answer.Successful ?? []).Select(entry => entry.Id)];
        return [.. letters.Where((_, i) => sent.Contains($"m{i}"))];
    }

    public void Dispose() => _client.Dispose();

    private static string TextOf(string campaign, RequestRecord letter)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteString("campaign", campaign);
            json.WriteString("requestId", letter.Id.ToString());
            json.WriteNumber("generation", letter.Generation);
            json.WriteString("reason", letter.Reason);
            json.WriteString("failure", letter.Failure);
            json.WriteString("failedAt", Rfc3339.ToText(DateTimeOffset.FromUnixTimeMilliseconds(letter.Times.Final)));
            json.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(text.ToArray());
    }
}
