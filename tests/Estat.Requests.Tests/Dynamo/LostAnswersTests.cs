// What a user is told when DynamoDB does not say what became of the write.
using Estat.Requests.Aws.Hosting;
using Estat.Requests.Deciding;

namespace Estat.Requests.Tests.Dynamo;

public sealed class LostAnswersTests(LocalDynamo dynamo) : IClassFixture<LocalDynamo>
{
    [Theory]
    [InlineData("lost", "TransactWriteItems", "Accepted")]
    [InlineData("unavailable", "TransactWriteItems", "Unknown")]
    [InlineData("throttled", "TransactWriteItems", "NotTaken")]
    [InlineData("unavailable", "UpdateItem", "NotTaken")]
    public async Task Taken_is_said_of_what_is_there_and_not_taken_only_of_what_cannot_be(string fault, string operation, string expected)
    {
        var place = new DynamoPlace(dynamo.Emulator);
        var store = (DynamoRequestStore)await place.OpenAsync(new DecisionRule(), TimeProvider.System, 20_000);
        await store.PutCampaignAsync(
            "sale", new CampaignSettings { Policy = CampaignPolicy.FirstCome, OpensAt = DateTimeOffset.UnixEpoch, Capacity = 5 }, null);
        var faults = new DynamoDbFaults
        {
            Lost = fault == "lost" ? 1 : 0, Unavailable = fault == "unavailable" ? 1 : 0, Throttle = fault == "throttled" ? 1 : 0,
            Operations = [operation],
        };
        try
        {
            await dynamo.Emulator.FaultsAsync(faults);
            Acceptance acceptance = await AcceptAsync(store);
            Assert.Equal(expected, $"{acceptance.Outcome}");

            await dynamo.Emulator.FaultsAsync();
            await Wait.UntilAsync(() => store.Fault is null, TimeSpan.FromSeconds(60), "the node to see that DynamoDB is well");
            Acceptance again = await AcceptAsync(store);
            Assert.Equal(expected == "Accepted" ? AcceptanceOutcome.Known : AcceptanceOutcome.Accepted, again.Outcome);
        }
        finally
        {
            await dynamo.Emulator.FaultsAsync();
            await store.DisposeAsync();
        }
    }

    [Fact]
    public async Task Not_taken_is_said_of_nobody_whose_request_is_there_though_only_some_of_a_crowd_got_sequences()
    {
        var place = new DynamoPlace(dynamo.Emulator);
        var store = (DynamoRequestStore)await place.OpenAsync(new DecisionRule(), TimeProvider.System, 20_000);
        await store.PutCampaignAsync(
            "sale", new CampaignSettings { Policy = CampaignPolicy.FirstCome, OpensAt = DateTimeOffset.UnixEpoch, Capacity = 5 }, null);
        try
        {
            await dynamo.Emulator.FaultsAsync(new DynamoDbFaults
            {
                Unavailable = 0.93, Operations = ["UpdateItem", "TransactWriteItems"], Seed = 3,
            });
            (string User, AcceptanceOutcome Outcome)[] told = await Task.WhenAll(Enumerable.Range(0, 400).Select(async i =>
                ($"user{i}", (await AcceptAsync(store, $"user{i}")).Outcome)));
            await dynamo.Emulator.FaultsAsync();
            await Wait.UntilAsync(
                () => store.Fault is null && store.FindCampaign("sale")!.Counts.Open == 0, TimeSpan.FromSeconds(60), "every sequence to be settled");

            foreach ((string user, AcceptanceOutcome outcome) in told)
            {
                var id = RequestId.Of(store.FindCampaign("sale")!.Secret.Span, "sale", UserId.Of(user)!.Value);
                bool isThere = await store.FindAsync(id) is not null;
                Assert.True(outcome == AcceptanceOutcome.Unknown || isThere == (outcome == AcceptanceOutcome.Accepted), $"{user}: {outcome}");
            }

            Assert.Contains(told, one => one.Outcome == AcceptanceOutcome.NotTaken);
        }
        finally
        {
            await dynamo.Emulator.FaultsAsync();
            await store.DisposeAsync();
        }
    }

    private static async Task<Acceptance> AcceptAsync(DynamoRequestStore store, string name = "ann")
    {
        var user = UserId.Of(name)!.Value;
        return await store.AcceptAsync(new Submission("sale", RequestId.Of(store.FindCampaign("sale")!.Secret.Span, "sale", user), user, default));
    }
}
