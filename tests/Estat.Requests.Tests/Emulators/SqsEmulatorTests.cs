// The SQS of the tests, by the SDK that the store uses: what it must do as the real one does, and the faults that it must be able to have.

using System.Diagnostics;
using Amazon.Runtime;
using Amazon.SQS;
using Amazon.SQS.Model;

namespace Estat.Requests.Tests.Emulators;

public sealed class SqsEmulatorTests : IAsyncLifetime
{
    private SqsEmulator? _emulator;
    private AmazonSQSClient? _client;

    private static CancellationToken Ended => TestContext.Current.CancellationToken;

    private SqsEmulator Emulator => _emulator!;

    private AmazonSQSClient Client => _client!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(SqsEmulator.Available(out var reason), reason);
        _emulator = await SqsEmulator.StartAsync();
        _client = new AmazonSQSClient(
            new BasicAWSCredentials("key", "secret"),
            new AmazonSQSConfig
            {
                ServiceURL = Emulator.Endpoint,
                AuthenticationRegion = "us-east-1",
                MaxErrorRetry = 0,
                MaxStaleConnectionRetries = 0, // not among the above: the SDK would send ten times more what was lost
            });
    }

    public async ValueTask DisposeAsync()
    {
        _client?.Dispose();
        if (_emulator is not null)
        {
            await _emulator.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_queue_is_found_by_its_name_and_tells_its_attributes()
    {
        var url = await CreateAsync("bell", (QueueAttributeName.VisibilityTimeout, "7"));

        var found = (await Client.GetQueueUrlAsync("bell", Ended)).QueueUrl;
        var attributes = (await Client.GetQueueAttributesAsync(url, ["All"], Ended)).Attributes;

        Assert.Equal(url, found);
        Assert.Equal("7", attributes["VisibilityTimeout"]);
        Assert.EndsWith(":bell", attributes["QueueArn"], StringComparison.Ordinal);
        await Assert.ThrowsAsync<QueueDoesNotExistException>(() => Client.GetQueueUrlAsync("other", Ended));
    }

    [Fact]
    public async Task A_fifo_queue_keeps_the_order_of_a_group_and_drops_a_repeated_message()
    {
        var url = await CreateAsync("bell.fifo", ("FifoQueue", "true"), ("ContentBasedDeduplication", "false"), ("VisibilityTimeout", "1"));
        var sent = await Client.SendMessageBatchAsync(
            url,
            [.. new[] { "1", "2", "3" }.Select(i => new SendMessageBatchRequestEntry(i, i) { MessageGroupId = "a", MessageDeduplicationId = i })],
            Ended);
        await Client.SendMessageAsync(new(url, "1") { MessageGroupId = "a", MessageDeduplicationId = "1" }, Ended);
        await Client.SendMessageAsync(new(url, "b") { MessageGroupId = "b", MessageDeduplicationId = "b" }, Ended);
        Assert.Equal(3, sent.Successful.Count);

        // Nobody deletes the first two messages, so each is received again before the next of its group.
        var first = await ReceiveAsync(url);
        Assert.Equal(["1", "b"], first.Select(message => message.Body));
        Assert.Equal("a", first[0].Attributes["MessageGroupId"]);
        Assert.Empty(await ReceiveAsync(url));
        var bodies = new List<string>();
        while (bodies.Count < 4)
        {
            var received = await ReceiveAsync(url, seconds: 10);
            Assert.NotEmpty(received);
            bodies.AddRange(received.Select(message => message.Body));
            var deleted = await Client.DeleteMessageBatchAsync(
                url, [.. received.Select((message, i) => new DeleteMessageBatchRequestEntry($"{i}", message.ReceiptHandle))], Ended);
            Assert.Equal(received.Count, deleted.Successful.Count);
        }

        Assert.Equal(["1", "2", "3"], bodies.Where(body => body != "b"));
        Assert.Empty(await ReceiveAsync(url));
    }

    [Fact]
    public async Task A_standard_queue_takes_groups_and_hands_them_out()
    {
        var url = await CreateAsync("bell");
        await Client.SendMessageAsync(new(url, "one") { MessageGroupId = "campaign" }, Ended);
        await Client.SendMessageBatchAsync(url, [new("x", "two") { MessageGroupId = "campaign" }], Ended);

        var received = await ReceiveAsync(url);

        Assert.Equal(["one", "two"], received.Select(message => message.Body));
        Assert.All(received, message => Assert.Equal("campaign", message.Attributes["MessageGroupId"]));
    }

    [Fact]
    public async Task A_long_poll_waits_for_a_message_and_not_longer()
    {
        var url = await CreateAsync("bell");
        var started = Stopwatch.StartNew();
        Assert.Empty(await ReceiveAsync(url, seconds: 1));
        Assert.InRange(started.Elapsed, TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(15));

        var waiting = Enumerable.Range(0, 2).Select(_ => ReceiveAsync(url, seconds: 20)).ToList();
        await Client.SendMessageAsync(url, "first", Ended);
        Assert.Single(await await Task.WhenAny(waiting));
        Assert.Equal(1, waiting.Count(poll => poll.IsCompleted));
        await Client.SendMessageAsync(url, "second", Ended);
        var received = await Task.WhenAll(waiting).WaitAsync(TimeSpan.FromSeconds(15), Ended);
        Assert.Equal(["first", "second"], received.Select(messages => Assert.Single(messages).Body).Order());
    }

    [Fact]
    public async Task A_message_that_is_given_back_comes_again_at_once_and_is_counted()
    {
        var url = await CreateAsync("bell", ("VisibilityTimeout", "600"));
        await Client.SendMessageAsync(url, "ring", Ended);

        var first = Assert.Single(await ReceiveAsync(url));
        Assert.Empty(await ReceiveAsync(url));
        await Client.ChangeMessageVisibilityAsync(url, first.ReceiptHandle, 0, Ended);
        var second = Assert.Single(await ReceiveAsync(url));
        await Client.ChangeMessageVisibilityAsync(url, second.ReceiptHandle, 1, Ended);
        var third = Assert.Single(await ReceiveAsync(url, seconds: 10));
        await Client.DeleteMessageAsync(url, third.ReceiptHandle, Ended);

        Assert.Equal(["1", "2", "3"], new[] { first, second, third }.Select(message => message.Attributes["ApproximateReceiveCount"]));
        Assert.Equal("0", (await Client.GetQueueAttributesAsync(url, ["All"], Ended)).Attributes["ApproximateNumberOfMessagesNotVisible"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".fifo")]
    public async Task A_message_that_was_received_too_often_goes_to_the_dead_letters(string suffix)
    {
        (string, string)[] kind = suffix.Length > 0 ? [("FifoQueue", "true")] : [];
        var dead = await CreateAsync("dead" + suffix, kind);
        var arn = (await Client.GetQueueAttributesAsync(dead, ["QueueArn"], Ended)).Attributes["QueueArn"];
        var url = await CreateAsync("bell" + suffix, [.. kind, ("RedrivePolicy", $$"""{"deadLetterTargetArn":"{{arn}}","maxReceiveCount":2}""")]);
        await Client.SendMessageAsync(
            new(url, "poison") { MessageGroupId = "a", MessageDeduplicationId = suffix.Length > 0 ? "1" : null }, Ended);

        for (var i = 0; i < 2; i++)
        {
            var message = Assert.Single(await ReceiveAsync(url));
            await Client.ChangeMessageVisibilityAsync(url, message.ReceiptHandle, 0, Ended);
        }

        Assert.Empty(await ReceiveAsync(url));
        Assert.Equal("poison", Assert.Single(await ReceiveAsync(dead)).Body);
    }

    [Fact]
    public async Task A_message_is_received_twice_on_demand()
    {
        var url = await CreateAsync("bell", ("VisibilityTimeout", "600"));
        await Client.SendMessageAsync(url, "ring", Ended);
        await Emulator.FaultsAsync(new() { Twice = 1 });
        var first = Assert.Single(await ReceiveAsync(url));
        await Emulator.FaultsAsync();
        var second = Assert.Single(await ReceiveAsync(url));

        Assert.Equal(first.MessageId, second.MessageId);
        Assert.NotEqual(first.ReceiptHandle, second.ReceiptHandle);
        Assert.Empty(await ReceiveAsync(url));
        Assert.Equal(1, (await Emulator.FaultCountsAsync())["twice"]);
    }

    [Fact]
    public async Task An_unavailable_service_answers_503_and_a_lost_answer_is_of_what_was_done()
    {
        var url = await CreateAsync("bell");
        await Emulator.FaultsAsync(new() { Unavailable = 1, Operations = ["SendMessage"] });
        var refused = await Assert.ThrowsAnyAsync<AmazonServiceException>(() => Client.SendMessageAsync(url, "refused", Ended));
        await Emulator.FaultsAsync(new() { Lost = 1, Operations = ["SendMessage"] });
        await Assert.ThrowsAnyAsync<Exception>(() => Client.SendMessageAsync(url, "lost", Ended));

        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, refused.StatusCode);
        Assert.Equal("lost", Assert.Single(await ReceiveAsync(url)).Body);
    }

    [Fact]
    public async Task It_stands_still_and_goes_on()
    {
        var url = await CreateAsync("bell");
        Emulator.Stop();
        var sending = Client.SendMessageAsync(url, "late", Ended);
        await Task.WhenAny(sending, Task.Delay(300, Ended));
        Assert.False(sending.IsCompleted);
        Emulator.Continue();

        await sending;
        Assert.Equal("late", Assert.Single(await ReceiveAsync(url)).Body);
    }

    private async Task<string> CreateAsync(string name, params (string Name, string Value)[] attributes) =>
        (await Client.CreateQueueAsync(
            new CreateQueueRequest(name) { Attributes = attributes.ToDictionary(pair => pair.Name, pair => pair.Value) }, Ended)).QueueUrl;

    private async Task<List<Message>> ReceiveAsync(string url, int seconds = 0)
    {
        var request = new ReceiveMessageRequest(url) { MaxNumberOfMessages = 10, WaitTimeSeconds = seconds, MessageSystemAttributeNames = ["All"] };
        return (await Client.ReceiveMessageAsync(request, Ended)).Messages ?? [];
    }
}
