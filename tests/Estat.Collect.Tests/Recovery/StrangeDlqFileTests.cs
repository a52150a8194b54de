// Whatever lies in the DLQ's folder: nothing hangs on it, it is told once, and no gauge is ever below zero.
using Estat.Collect.Conservation;
using Estat.Collect.Dlq;
using Estat.Collect.Options;
using Microsoft.Extensions.Logging;

namespace Estat.Collect.Tests.Recovery;

public sealed class StrangeDlqFileTests : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);
    private static readonly DateTimeOffset Now = Batches.Opened.AddHours(1);
    private readonly FolderPlace _place = new();
    private readonly TempFolder _folder = new();

    /// <summary>What stands where a payload or its meta should be.</summary>
    public static TheoryData<string, string> Strangers
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (string part in new[] { "payload", "meta" })
            {
                foreach (string kind in new[] { "pipe", "zero", "folder" })
                {
                    if ((part, kind) != ("payload", "folder")) // no file of the DLQ
                    {
                        all.Add(part, kind);
                    }
                }
            }

            return all;
        }
    }

    private string Dlq => _folder["dlq"];

    public async ValueTask DisposeAsync()
    {
        await _place.DisposeAsync();
        _folder.Dispose();
    }

    [Theory]
    [MemberData(nameof(Strangers))]
    public async Task Recovery_goes_on_beside_it_tells_of_it_once_and_takes_it_up_when_it_is_mended(string part, string kind)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "mkfifo and /dev/zero");
        string strange = DlqFiles.Put(Dlq, DlqFiles.NewKey(), ["strange 1", "strange 2"]);
        DlqFiles.Put(Dlq, DlqFiles.NewKey(Batches.Opened.AddMinutes(1)), ["good"]);
        string replaced = part == "payload" ? strange : strange + DlqDirectory.MetaExtension;
        File.Move(replaced, _folder["kept"]);
        await PutStrangerAsync(replaced, kind);

        var time = new ManualTimeProvider(Now);
        using var rig = new RecoveryRig(_place, Dlq, time);
        await Task.Run(async () =>
        {
            for (int tick = 0; tick < 300; tick++)
            {
                await rig.TickAsync();
                time.Advance(TimeSpan.FromSeconds(1));
            }
        }, TestContext.Current.CancellationToken).WaitAsync(Limit, TestContext.Current.CancellationToken);
        Assert.Equal(["good"], await _place.BodiesAsync());
        string warning = Assert.Single(rig.Log.Of(LogLevel.Warning));
        Assert.Contains(Path.GetFileName(strange), warning, StringComparison.Ordinal);
        Assert.Contains("not a regular file", warning, StringComparison.Ordinal);
        Balance balance = rig.Ledger.Read();
        Assert.Equal((1, 1, part == "payload" ? 2 : 0), (rig.Dlq.Files, balance.Stored, balance.Dlq));

        if (kind == "folder")
        {
            Directory.Delete(replaced);
        }

        File.Move(_folder["kept"], replaced, overwrite: true);
        time.Advance(TimeSpan.FromMinutes(5));
        await rig.RecoverAllAsync();
        Assert.Equal(["good", "strange 1", "strange 2"], (await _place.BodiesAsync()).Order(StringComparer.Ordinal));
        Assert.Equal(new Balance(0, 3, 3, 0, 0, 0, 0, 0), rig.Ledger.Read());
        Assert.Equal((0, 0), (rig.Dlq.Files, rig.Dlq.Bytes));
    }

    [Theory]
    [MemberData(nameof(Strangers))]
    public async Task A_node_lists_it_with_its_trouble_and_ends_in_time(string part, string kind)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "mkfifo and /dev/zero");
        string strange = DlqFiles.Put(Dlq, DlqFiles.NewKey(), ["strange"]);
        string replaced = part == "payload" ? strange : strange + DlqDirectory.MetaExtension;
        File.Delete(replaced);
        await PutStrangerAsync(replaced, kind);
        DlqFiles.Put(Dlq, DlqFiles.NewKey(Batches.Opened.AddMinutes(1)), ["good"]);
        await using TestNode node = new TestNode(
            _folder, new CollectOptions { RecoveryInterval = TimeSpan.FromMilliseconds(10), DlqMaxAge = TimeSpan.FromDays(10_000) }).Start();
        await node.UntilAsync(() => node.Balance.Stored == 1, "the good one to be stored");
        await Wait.UntilAsync(() => node.Log.Of(LogLevel.Warning).Length == 1, Limit, "the strange one to be told",
            () => string.Join(Environment.NewLine, node.Log.Of(LogLevel.Warning)));
        DlqPage page = await Task.Run(() => node.Engine.Dlq.List(10, null), TestContext.Current.CancellationToken)
            .WaitAsync(Limit, TestContext.Current.CancellationToken);
        DlqFile listed = Assert.Single(page.Files);
        Assert.Equal((1, Path.GetFileName(strange)), (page.Total, listed.Name + ".jsonl.gz"));
        Assert.Contains("not a regular file", listed.Reason, StringComparison.Ordinal);
        OrderResult retried = await node.Engine.Dlq.RetryAsync(listed.Name).WaitAsync(Limit, TestContext.Current.CancellationToken);
        Assert.Equal(OrderEnd.Failed, retried.End);
        Assert.Contains("not a regular file", retried.Detail, StringComparison.Ordinal);
        Assert.Equal(1, node.Engine.Dlq.RetryAll());
        node.AssertConserved();
        Assert.Equal(0, await node.DrainAsync().WaitAsync(Limit, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_pair_that_somebody_puts_there_while_the_node_runs_is_stored_and_no_gauge_falls_below_zero()
    {
        Directory.CreateDirectory(Dlq);
        using var rig = new RecoveryRig(_place, Dlq, new ManualTimeProvider(Now));
        DlqFiles.Put(Dlq, DlqFiles.NewKey(), ["a", "b"]);
        await rig.RecoverAllAsync();
        Assert.Equal(["a", "b"], await _place.BodiesAsync());
        Assert.Equal((0, 0), (rig.Dlq.Files, rig.Dlq.Bytes));
        Assert.Equal(new Balance(0, 2, 2, 0, 0, 0, 0, 0), rig.Ledger.Read());
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("changed")]
    public async Task A_file_is_taken_off_with_what_it_was_counted_with_whatever_became_of_its_meta(string what)
    {
        string payload = DlqFiles.Put(Dlq, DlqFiles.NewKey(), ["a", "b"]);
        string broken = DlqFiles.Put(Dlq, DlqFiles.NewKey(Batches.Opened.AddMinutes(1)), ["c", "d"], "no gzip"u8.ToArray());
        using var rig = new RecoveryRig(_place, Dlq, new ManualTimeProvider(Now));
        foreach (string path in new[] { payload, broken })
        {
            if (what == "missing")
            {
                File.Delete(path + DlqDirectory.MetaExtension);
            }
            else
            {
                DlqDirectory.WriteMeta(path, DlqDirectory.ReadMeta(path)! with { NumEvents = 20, Sha256 = new string('0', 64) });
            }
        }

        await rig.RecoverAllAsync();
        Balance balance = rig.Ledger.Read();
        Assert.Equal((0, 0, 0), (rig.Dlq.Files, rig.Dlq.Bytes, balance.Dlq));
        Assert.Equal(balance.Found, balance.Stored + balance.Quarantined);
        Assert.Equal(what == "missing" ? (2, 2) : (0, 40), (balance.Stored, balance.Quarantined));
    }

    [Theory]
    [InlineData("num_events", "-1")]
    [InlineData("num_events", "-9223372036854775808")]
    [InlineData("num_events", "9223372036854775807")]
    [InlineData("attempts", "-1")]
    [InlineData("attempts", "2147483647")]
    [InlineData("last_sequence", "-2")]
    public async Task Numbers_that_no_meta_can_have_are_damage_and_the_payload_speaks_for_itself(string field, string value)
    {
        string payload = DlqFiles.Put(Dlq, DlqFiles.NewKey(), ["a", "b"]);
        string meta = payload + DlqDirectory.MetaExtension;
        string json = System.Text.RegularExpressions.Regex.Replace(File.ReadAllText(meta), $"\"{field}\": -?[0-9]+", $"\"{field}\": {value}");
        Assert.Contains($"\"{field}\": {value}", json, StringComparison.Ordinal);
        File.WriteAllText(meta, json);

        using var rig = new RecoveryRig(_place, Dlq, new ManualTimeProvider(Now));
        Assert.Equal(0, rig.Ledger.Read().Dlq);
        await rig.RecoverAllAsync();
        Assert.Equal(["a", "b"], await _place.BodiesAsync());
        Assert.Equal(new Balance(0, 2, 2, 0, 0, 0, 0, 0), rig.Ledger.Read());
        Assert.Contains("has no readable meta", Assert.Single(rig.Log.Of(LogLevel.Warning)), StringComparison.Ordinal);
    }

    private static async Task PutStrangerAsync(string path, string kind)
    {
        switch (kind)
        {
            case "pipe":
                await Command.SucceedAsync(Limit, "mkfifo", path);
                break;
            case "zero":
                File.CreateSymbolicLink(path, "/dev/zero");
                break;
            default:
                Directory.CreateDirectory(path);
                break;
        }
    }
}
