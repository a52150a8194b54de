// However many ask whether storage can be reached, it is asked once a second at most, and once in ten while it is well.
using Estat.Base.Storage;

namespace Estat.Base.Tests.Storage;

public sealed class StorageProbeTests
{
    [Fact]
    public async Task A_good_answer_is_remembered_for_ten_seconds_and_a_bad_one_for_one()
    {
        await using var place = new FolderPlace();
        using var store = new SwitchedStore(place.Store);
        var time = new ManualTimeProvider();
        var probe = new StorageProbe(store, time);
        Assert.Null(await probe.AskAsync());
        store.Fails = StorageFailure.Transient;
        for (int second = 0; second < 10; second++)
        {
            Assert.Null(await probe.AskAsync());
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.NotNull(await probe.AskAsync());
        Assert.NotNull(await probe.AskAsync());
        store.Fails = null;
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await probe.AskAsync());
        Assert.Equal(3, store.Checks);
    }

    [Fact]
    public async Task A_good_answer_counts_for_a_second_once_an_upload_has_failed()
    {
        await using var place = new FolderPlace();
        using var store = new SwitchedStore(place.Store);
        var time = new ManualTimeProvider();
        var probe = new StorageProbe(store, time);
        Assert.Null(await probe.AskAsync());
        store.Fails = StorageFailure.Refused;
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await probe.AskAsync());
        Assert.NotNull(await probe.AskAsync(isDoubted: true));
        Assert.Equal(2, store.Checks);
    }
}
