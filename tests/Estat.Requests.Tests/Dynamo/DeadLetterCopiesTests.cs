// Dead letters go to SQS, each at least once, whatever is away meanwhile.
using System.Text.Json;
using Amazon.Runtime;
using Amazon.SQS;
using Amazon.SQS.Model;
using Estat.Requests.Aws.Hosting;
using Estat.Requests.Tests.Storing;

namespace Estat.Requests.Tests.Dynamo;

public sealed class DeadLetterCopiesTests(LocalDynamo dynamo) : IClassFixture<LocalDynamo>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Every_dead_letter_is_copied_though_SQS_was_away_and_the_node_was_killed()
    {
        Assert.SkipUnless(SqsEmulator.Available(out string reason), reason);
        await using SqsEmulator sqs = await SqsEmulator.StartAsync();
        using var client = new AmazonSQSClient(
            new BasicAWSCredentials("test", "test"), new AmazonSQSConfig { ServiceURL = sqs.Endpoint, AuthenticationRegion = "eu-central-1" });
        string url = (await client.CreateQueueAsync("dead-letters", TestContext.Current.CancellationToken)).QueueUrl;
        var place = new DynamoPlace(dynamo.Emulator, mostAttempts: 1)
        {
            Queue = new Uri(url), SqsEndpoint = new Uri(sqs.Endpoint),
        };
        var store = (DynamoRequestStore)await place.OpenAsync(new TestRule(), TimeProvider.System, 20_000);
        await store.PutCampaignAsync(
            "sale", new CampaignSettings { Policy = CampaignPolicy.FirstCome, OpensAt = DateTimeOffset.UnixEpoch, Capacity = 5 }, null);
        await AcceptAsync(store, "bad1");
        Assert.Equal([IdOf(store, "bad1")], await ReceiveAsync(client, url, 1));

        await sqs.FaultsAsync(new SqsFaults { Unavailable = 1 });
        await AcceptAsync(store, "bad2");
        await AcceptAsync(store, "good");
        await AcceptAsync(store, "bad3");
        await Wait.UntilAsync(() => store.FindCampaign("sale")!.Counts is { Failed: 3, Open: 0 }, Patience, "three to fail");
        await place.KillAsync(store);
        await sqs.FaultsAsync();
        var next = (DynamoRequestStore)await place.OpenAsync(new TestRule(), TimeProvider.System, 20_000);
        try
        {
            Assert.Equal(
                new[] { IdOf(next, "bad2"), IdOf(next, "bad3") }.Order(), (await ReceiveAsync(client, url, 2)).Order());
        }
        finally
        {
            await next.DisposeAsync();
        }
    }

    private static RequestId IdOf(DynamoRequestStore store, string user) =>
        RequestId.Of(store.FindCampaign("sale")!.Secret.Span, "sale", UserId.Of(user)!.Value);

    private static async Task AcceptAsync(DynamoRequestStore store, string user) => Assert.Equal(
        AcceptanceOutcome.Accepted,
        (await store.AcceptAsync(new Submission("sale", IdOf(store, user), UserId.Of(user)!.Value, default))).Outcome);

    private static async Task<IReadOnlyList<RequestId>> ReceiveAsync(AmazonSQSClient client, string url, int count)
    {
        var found = new HashSet<RequestId>();
        await Wait.UntilAsync(
            async () =>
            {
                ReceiveMessageResponse answer = await client.ReceiveMessageAsync(
                    new ReceiveMessageRequest { QueueUrl = url, MaxNumberOfMessages = 10, WaitTimeSeconds = 1 });
                foreach (Message message in answer.Messages ?? [])
                {
                    using JsonDocument body = JsonDocument.Parse(message.Body);
                    Assert.Equal("sale", body.RootElement.GetProperty("campaign").GetString());
                    Assert.Equal("attempts-exhausted", body.RootElement.GetProperty("reason").GetString());
                    found.Add(RequestId.Parse(body.RootElement.GetProperty("requestId").GetString())!.Value);
                    await client.DeleteMessageAsync(url, message.ReceiptHandle);
                }

                return found.Count >= count;
            },
            Patience, $"{count} copies");
        return [.. found];
    }
}
