// A sealed batch leaves memory when it is safe elsewhere: in storage, or in the DLQ, or, if neither takes it, not at all.
using Estat.Base.Storage;
using Estat.Collect.Dlq;
using Estat.Collect.Options;

namespace Estat.Collect.Tests.Uploading;

public sealed class UploaderTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_batch_is_tried_S3_APP_RETRIES_times_more_and_then_goes_to_the_DLQ()
    {
        await using var rig = new UploadRig(new CollectOptions { S3AppRetries = 2 });
        rig.Store.Fails = StorageFailure.Transient;
        await rig.EnqueueAsync("a", "b");
        await rig.UntilAsync(() => rig.Ledger.Read().Dlq == 2, "the batch to be counted in the DLQ"); // after its file
        Assert.Equal(3, rig.Store.Creates);
        Assert.Equal(3, rig.Metrics.Value("s3_put_errors_total"));
        Assert.Equal(["a", "b"], rig.DlqBodies());
        DlqMeta meta = DlqDirectory.ReadMeta(Path.Combine(rig.Dlq.Folder, rig.DlqNames[0]))!;
        Assert.Equal((2, Batches.Opened, 0), (meta.NumEvents, meta.Created, meta.Attempts));
        Assert.Contains("switched off", meta.Reason, StringComparison.Ordinal);
        Assert.Equal((0, 2), (rig.Ledger.Read().Buffered, rig.Ledger.Read().Dlq));
        Assert.True(rig.BatchStore.Storage.Fails);
    }

    [Fact]
    public async Task While_storage_is_known_to_fail_a_batch_is_tried_once()
    {
        await using var rig = new UploadRig(new CollectOptions { S3AppRetries = 2 });
        rig.Store.Fails = StorageFailure.Transient;
        await rig.EnqueueAsync("a");
        await rig.UntilAsync(() => rig.Dlq.Files == 1, "the first batch to reach the DLQ");
        await rig.EnqueueAsync("b");
        await rig.UntilAsync(() => rig.Dlq.Files == 2, "the second batch to reach the DLQ");
        Assert.Equal(3 + 1, rig.Store.Creates);
        rig.Store.Fails = null;
        await rig.EnqueueAsync("c");
        await rig.UntilAsync(() => rig.Ledger.Read().Stored == 1, "the third batch to be stored");
        Assert.False(rig.BatchStore.Storage.Fails);
    }

    [Theory]
    [InlineData(StorageFailure.Refused)]
    [InlineData(StorageFailure.Disk)]
    public async Task A_failure_that_does_not_pass_by_itself_sends_the_batch_to_the_DLQ_at_once(StorageFailure failure)
    {
        await using var rig = new UploadRig(new CollectOptions { S3AppRetries = 5 });
        rig.Store.Fails = failure;
        await rig.EnqueueAsync("a");
        await Wait.UntilAsync(() => rig.Dlq.Files == 1, Limit, "the batch to reach the DLQ without time passing");
        Assert.Equal(1, rig.Store.Creates);
    }

    [Fact]
    public async Task A_batch_whose_answer_was_lost_is_stored_once()
    {
        await using var rig = new UploadRig();
        rig.Store.LosesAnswers = true;
        await rig.EnqueueAsync("a", "b");
        await Wait.UntilAsync(() => rig.Time.ActiveTimers > 0, Limit, "the retry to be scheduled");
        rig.Store.LosesAnswers = false;
        await rig.UntilAsync(() => rig.Ledger.Read().Stored == 2, "the retry to find the object");
        Assert.Equal(["a", "b"], await rig.Place.BodiesAsync());
        Assert.Equal((2, 0L), (rig.Store.Creates, rig.Dlq.Files));
    }

    [Fact]
    public async Task A_full_queue_makes_partitions_wait_while_storage_answers()
    {
        await using var rig = new UploadRig(new CollectOptions { UploadQueue = 1, UploadConcurrency = 1 });
        rig.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await rig.EnqueueAsync("uploading");
        await Wait.UntilAsync(() => rig.Store.Creates == 1, Limit, "the first upload to begin");
        await rig.EnqueueAsync("queued");
        Task waiting = rig.EnqueueAsync("waiting").AsTask();
        Assert.False(waiting.IsCompleted);
        Assert.False(rig.Uploader.IsIdle);
        rig.Store.Gate.SetResult();
        await waiting.WaitAsync(Limit, TestContext.Current.CancellationToken);
        await rig.CompleteAsync();
        Assert.Equal(3, rig.Ledger.Read().Stored);
        Assert.True(rig.Uploader.IsIdle);
        Assert.Empty(rig.DlqNames);
    }

    [Fact]
    public async Task A_full_queue_spills_into_the_DLQ_while_storage_fails()
    {
        await using var rig = new UploadRig(new CollectOptions { UploadQueue = 1, UploadConcurrency = 1 });
        rig.Store.Fails = StorageFailure.Refused;
        await rig.EnqueueAsync("first");
        await rig.UntilAsync(() => rig.Dlq.Files == 1, "storage to be known to fail");
        rig.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await rig.EnqueueAsync("uploading");
        await Wait.UntilAsync(() => rig.Store.Creates == 2, Limit, "the second upload to begin");
        await rig.EnqueueAsync("queued");
        await rig.EnqueueAsync("spilt").AsTask().WaitAsync(Limit, TestContext.Current.CancellationToken);
        Assert.Equal(["first", "spilt"], rig.DlqBodies());
        rig.Store.Gate.SetResult();
        await rig.CompleteAsync();
        Assert.Equal(["first", "queued", "spilt", "uploading"], rig.DlqBodies());
        Assert.Equal(4, rig.Ledger.Read().Dlq);
    }

    [Fact]
    public async Task Hurry_ends_uploads_in_progress_and_saves_them_in_the_DLQ()
    {
        await using var rig = new UploadRig(new CollectOptions { UploadQueue = 4, UploadConcurrency = 1 });
        rig.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await rig.EnqueueAsync("a");
        await rig.EnqueueAsync("b");
        await Wait.UntilAsync(() => rig.Store.Creates == 1, Limit, "the upload to begin");
        rig.Uploader.Hurry();
        await rig.CompleteAsync();
        Assert.Equal(["a", "b"], rig.DlqBodies());
        Assert.Equal(1, rig.Store.Creates);
        Assert.Empty(await rig.Place.KeysAsync());
    }

    [Fact]
    public async Task What_an_upload_throws_at_being_hurried_reaches_nobody_who_hurries_and_keeps_no_other_upload()
    {
        await using var rig = new UploadRig(new CollectOptions { UploadQueue = 4, UploadConcurrency = 2 });
        rig.Store.Gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        rig.Store.OnCreate = static token => token.Register(static () => throw new InvalidOperationException("a client's own fault"));
        await rig.EnqueueAsync("a");
        await rig.EnqueueAsync("b");
        await Wait.UntilAsync(() => rig.Store.Creates == 2, Limit, "the uploads to begin");
        rig.Uploader.Hurry(); // on a timer's thread it would end the process
        await rig.CompleteAsync();
        Assert.Equal(["a", "b"], rig.DlqBodies());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_batch_that_neither_storage_nor_disk_takes_stays_in_memory_until_one_does(bool diskIsMended)
    {
        using SmallDisk disk = FullDisk(out string filler);
        await using var rig = new UploadRig(new CollectOptions { DlqDir = disk.Path });
        File.WriteAllBytes(filler, new byte[disk.FreeBytes]);
        rig.Store.Fails = StorageFailure.Refused;
        await rig.EnqueueAsync("a", "b");
        await rig.UntilAsync(() => rig.Metrics.Value("estat_dlq_write_errors_total") >= 3, "the disk to refuse three times");
        Assert.Equal((2, 0, 0), (rig.Ledger.Read().Buffered, rig.Ledger.Read().Dlq, rig.Ledger.Read().Dropped));
        Assert.Equal(["filler"], rig.DlqNames);
        if (diskIsMended)
        {
            File.Delete(filler);
            await rig.UntilAsync(() => rig.Ledger.Read().Dlq == 2, "the disk to take the batch");
            Assert.Equal(["a", "b"], rig.DlqBodies());
        }
        else
        {
            rig.Store.Fails = null;
            await rig.UntilAsync(() => rig.Ledger.Read().Stored == 2, "storage to take the batch");
            Assert.Equal(["a", "b"], await rig.Place.BodiesAsync());
        }

        Assert.Equal(0, rig.Ledger.Read().Buffered);
    }

    [Fact]
    public async Task Giving_up_counts_what_is_lost()
    {
        using SmallDisk disk = FullDisk(out string filler);
        await using var rig = new UploadRig(new CollectOptions { DlqDir = disk.Path });
        File.WriteAllBytes(filler, new byte[disk.FreeBytes]);
        rig.Store.Fails = StorageFailure.Refused;
        await rig.EnqueueAsync("a", "b");
        await rig.UntilAsync(() => rig.Metrics.Value("estat_dlq_write_errors_total") >= 1, "the disk to refuse");
        rig.Uploader.Hurry();
        rig.Uploader.GiveUp();
        await rig.CompleteAsync();
        Assert.Equal((0, 2), (rig.Ledger.Read().Buffered, rig.Ledger.Read().Dropped));
    }

    private static SmallDisk FullDisk(out string filler)
    {
        Assert.SkipUnless(SmallDisk.Available(out string reason), reason);
        var disk = new SmallDisk(256 * 1024);
        filler = Path.Combine(disk.Path, "filler");
        return disk;
    }
}
