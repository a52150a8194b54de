// Whoever asks whether storage can be reached: it is asked once a second at most.
using Estat.Base.Storage;

namespace Estat.Collect.Tests.Storage;

public sealed class SinkProbeTests
{
    [Fact]
    public async Task An_answer_is_remembered_for_a_second_and_not_longer()
    {
        await using var place = new FolderPlace();
        using var store = new SwitchedStore(place.Store);
        var time = new ManualTimeProvider();
        var probe = new SinkProbe(store, time);
        Assert.Null(await probe.AskAsync());
        store.Fails = StorageFailure.Transient;
        Assert.Null(await probe.AskAsync());
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(await probe.AskAsync());
        Assert.NotNull(await probe.AskAsync());
        store.Fails = null;
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Null(await probe.AskAsync());
        Assert.Equal(3, store.Checks);
    }
}
