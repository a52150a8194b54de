// Each outcome comes to the lake once, whatever happens on the way: docs/requests.md, promise 9.
using System.Security.Cryptography;
using System.Text.Json;
using Estat.Base.Storage;
using Estat.Requests.Outcomes;

namespace Estat.Requests.Tests.Outcomes;

public sealed class OutcomeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly string[] Users = [.. Enumerable.Range(1, 8).Select(number => $"user{number}")];

    [Fact]
    public async Task A_line_says_what_became_of_a_request_and_not_whose_it_was()
    {
        await using OutcomeRig rig = await OutcomeRig.OpenAsync();
        await rig.MakeAsync("sale", 1);
        await rig.DecideAsync("sale", "ann", "bob");
        Assert.True(await rig.Writer.TryWriteAllAsync(CancellationToken.None));

        JsonElement[] lines = rig.Lines();
        Assert.Equal(
            ["campaign", "request_id", "generation", "state", "reason", "sequence", "attempts", "received_at", "queued_at", "processing_at",
                "final_at", "number"],
            lines[0].EnumerateObject().Select(member => member.Name));
        Assert.Equal(
            [$"sale {rig.IdOf("sale", "ann")} 1 SUCCEEDED  1 1", $"sale {rig.IdOf("sale", "bob")} 1 REJECTED full 2 1"],
            lines.Select(line => $"{line.GetProperty("campaign")} {line.GetProperty("request_id")} {line.GetProperty("generation")} "
                + $"{line.GetProperty("state")} {line.GetProperty("reason")} {line.GetProperty("sequence")} {line.GetProperty("attempts")}"));
        Assert.DoesNotContain("ann", string.Concat(lines.Select(line => line.GetRawText())), StringComparison.Ordinal);
        Assert.StartsWith("raw_outcomes/dt=2026-01-02/hr=03/", Assert.Single(rig.Keys()), StringComparison.Ordinal);
        Assert.Equal(new PendingOutcomes(0, null), rig.Store.PendingOutcomes);
    }

    [Fact]
    public async Task A_batch_whose_put_was_done_but_not_answered_is_stored_once()
    {
        await using OutcomeRig rig = await OutcomeRig.OpenAsync();
        await rig.MakeAsync("sale", 3);
        await rig.DecideAsync("sale", Users);
        rig.Lake.LosesAnswers = true;
        Assert.False(await rig.Writer.TryWriteAllAsync(CancellationToken.None));
        Assert.Equal(Users.Length, rig.Store.PendingOutcomes.Count);

        rig.Lake.LosesAnswers = false;
        rig.Time.Advance(TimeSpan.FromHours(3));
        await rig.DecideAsync("sale", "late");
        Assert.True(await rig.Writer.TryWriteAllAsync(CancellationToken.None));

        AssertOnceInOrder(rig, Users.Length + 1);
        Assert.Equal((2, 0L, (long)Users.Length + 1), (rig.Keys().Length, rig.Writer.Conflicts, rig.Writer.Stored));
        Assert.Equal(0, rig.Store.PendingOutcomes.Count);
    }

    [Fact]
    public async Task An_object_of_somebody_else_under_the_key_is_left_as_it_is_and_the_batch_waits()
    {
        await using OutcomeRig rig = await OutcomeRig.OpenAsync();
        await rig.MakeAsync("sale", 3);
        await rig.DecideAsync("sale", Users);
        OutcomeBatch batch = (await rig.Store.NextOutcomesAsync(1_000))!;
        string file = Path.Combine(rig.Root, OutcomeWriter.KeyOf(OutcomeRig.Prefix, batch));
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(file, "somebody else's");

        Assert.False(await rig.Writer.TryWriteAllAsync(CancellationToken.None));
        Assert.False(await rig.Writer.TryWriteAllAsync(CancellationToken.None));
        Assert.Equal("somebody else's", await File.ReadAllTextAsync(file));
        Assert.Equal((2L, 0L, (long)Users.Length), (rig.Writer.Conflicts, rig.Writer.Stored, rig.Store.PendingOutcomes.Count));
        Assert.Equal(batch.Number, (await rig.Store.NextOutcomesAsync(1_000))!.Number);

        File.Delete(file);
        Assert.True(await rig.Writer.TryWriteAllAsync(CancellationToken.None));
        AssertOnceInOrder(rig, Users.Length);
    }

    [Fact]
    public async Task When_the_lake_comes_back_outcomes_go_there_in_order_and_without_gaps()
    {
        await using OutcomeRig rig = await OutcomeRig.OpenAsync(batch: 3);
        await rig.MakeAsync("sale", 3);
        rig.Lake.Fails = StorageFailure.Transient;
        using var ending = new CancellationTokenSource();
        Task running = rig.Writer.RunAsync(ending.Token);
        await rig.DecideAsync("sale", Users);
        await rig.Time.AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => rig.Lake.Creates > 2, "the writer to have tried three times");
        Assert.Empty(rig.Keys());
        await rig.DecideAsync("sale", "late1", "late2");
        Assert.NotNull(rig.Store.PendingOutcomes.Oldest);

        rig.Lake.Fails = null;
        await rig.Time.AdvanceUntilAsync(
            TimeSpan.FromSeconds(1), () => rig.Store.PendingOutcomes.Count == 0, "the outcomes to be in the lake");
        await ending.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        AssertOnceInOrder(rig, Users.Length + 2);
        Assert.All(rig.Keys(), key => Assert.InRange(rig.LinesOf(key).Count(), 1, 3));
    }

    [Fact]
    public async Task Killed_between_the_put_and_its_note_the_next_process_meets_its_own_object()
    {
        await using OutcomeRig rig = await OutcomeRig.OpenAsync();
        await rig.MakeAsync("sale", 3);
        await rig.DecideAsync("sale", Users);
        rig.Lake.LosesAnswers = true;
        Assert.False(await rig.Writer.TryWriteAllAsync(CancellationToken.None));
        string key = Assert.Single(rig.Keys());
        byte[] hash = HashOf(rig, key);

        await rig.KillAsync();
        rig.Lake.LosesAnswers = false;
        rig.Time.Advance(TimeSpan.FromHours(30));
        await rig.DecideAsync("sale", "late");
        OutcomeBatch again = (await rig.Store.NextOutcomesAsync(1))!;
        Assert.Equal((key, Users.Length), (OutcomeWriter.KeyOf(OutcomeRig.Prefix, again), again.Outcomes.Count));
        Assert.True(await rig.Writer.TryWriteAllAsync(CancellationToken.None));

        Assert.Equal(hash, HashOf(rig, key));
        Assert.Equal((2, 0L), (rig.Keys().Length, rig.Writer.Conflicts));
        AssertOnceInOrder(rig, Users.Length + 1);
    }

    [Fact]
    public async Task A_redrive_has_an_outcome_of_its_own()
    {
        await using OutcomeRig rig = await OutcomeRig.OpenAsync();
        await rig.MakeAsync("sale", 3);
        await rig.AcceptAsync("sale", "bad1");
        await rig.Time.AdvanceUntilAsync(
            TimeSpan.FromSeconds(1), () => rig.Store.FindCampaign("sale")!.Counts.Failed == 1, "all attempts to fail");
        rig.Rule.Fails = false;
        await rig.Store.RedriveAsync([rig.IdOf("sale", "bad1")], isDryRun: false);
        await Wait.UntilAsync(() => rig.Store.FindCampaign("sale")!.Counts.Succeeded == 1, Patience, "the redrive to be decided");
        Assert.True(await rig.Writer.TryWriteAllAsync(CancellationToken.None));

        Assert.Equal(
            ["1 FAILED_FINAL 5", "2 SUCCEEDED 1"],
            rig.Lines().Select(line => $"{line.GetProperty("generation")} {line.GetProperty("state")} {line.GetProperty("attempts")}"));
    }

    private static byte[] HashOf(OutcomeRig rig, string key) => SHA256.HashData(File.ReadAllBytes(Path.Combine(rig.Root, key)));

    // Numbers are given in the order of decisions, here by sequence.
    private static void AssertOnceInOrder(OutcomeRig rig, int count)
    {
        JsonElement[] lines = rig.Lines();
        long[] expected = [.. Enumerable.Range(1, count).Select(number => (long)number)];
        Assert.Equal(expected, lines.Select(line => line.GetProperty("number").GetInt64()));
        Assert.Equal(expected, lines.Select(line => line.GetProperty("sequence").GetInt64()));
        Assert.Equal(count, lines.Select(line => line.GetProperty("request_id").GetString()).Distinct().Count());
    }
}
