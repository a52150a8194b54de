// A packet is taken once, by the instance that it was sent to, however often its message arrives.
using System.Text;
using Estat.Base.Acks;
using Estat.Grains.Forwarding;

namespace Estat.Grains.Tests.Forwarding;

public sealed class PacketIntakeTests : IAsyncDisposable
{
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(10);
    private static readonly AckLevel[] Offered = [AckLevel.Memory, AckLevel.Disk];

    private readonly TempFolder _folder = new();
    private readonly ManualTimeProvider _time = new();
    private readonly TestNode _node;
    private readonly PacketIntake _intake;

    public PacketIntakeTests()
    {
        _node = new TestNode(_folder).Start();
        _intake = new PacketIntake(_node.Engine.Ingest, Offered, _node.Engine.Instance, Remembered, _time);
    }

    [Fact]
    public async Task Its_events_are_stored_and_the_answer_names_level_and_key()
    {
        Ack ack = await TakeAsync(Guid.NewGuid(), "one", "two");
        Assert.Equal((Admission.Accepted, AckLevel.Disk), (ack.Admission, ack.Level));
        Assert.Contains(_node.Engine.Instance, ack.Key, StringComparison.Ordinal);
        Assert.Equal(["one", "two"], await StoredAsync());
    }

    [Fact]
    public async Task A_packet_that_comes_again_has_the_answer_that_it_had_and_is_stored_once()
    {
        var number = Guid.NewGuid();
        Task<Ack> first = TakeAsync(number, "one");
        Task<Ack> again = TakeAsync(number, "one");
        Assert.Equal(await first, await again);
        _time.Advance(Remembered - TimeSpan.FromMilliseconds(1));
        Assert.Equal(await first, await TakeAsync(number, "one"));
        Assert.Equal(["one"], await StoredAsync());
    }

    [Fact]
    public async Task What_was_remembered_long_enough_is_forgotten()
    {
        var number = Guid.NewGuid();
        await TakeAsync(number, "one");
        for (int turn = 0; turn < 2; turn++)
        {
            _time.Advance(Remembered);
            await TakeAsync(Guid.NewGuid(), "other");
        }

        await TakeAsync(number, "one");
        Assert.Equal(["one", "one", "other", "other"], (await StoredAsync()).Order());
    }

    [Fact]
    public async Task A_packet_for_another_instance_is_not_taken_and_nobody_knows_whether_that_one_did()
    {
        Ack ack = await _intake.TakeAsync(Guid.NewGuid(), "0123456789abcdef0123456789abcdef-7", AckLevel.Disk, 1, Line("one"));
        Assert.Equal(Admission.Unknown, ack.Admission);
        Assert.Empty(await StoredAsync());
    }

    [Fact]
    public async Task A_draining_node_takes_no_packet_and_says_so()
    {
        _node.Engine.BeginDrain();
        Assert.Equal(Admission.Draining, (await TakeAsync(Guid.NewGuid(), "one")).Admission);
        Assert.Equal(Admission.Draining, _intake.Outlook(AckLevel.Disk));
        Assert.Empty(await StoredAsync());
    }

    [Fact]
    public async Task A_packet_that_is_not_what_it_says_or_asks_for_a_level_that_is_not_offered_is_an_error_and_not_taken()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => _intake.TakeAsync(Guid.NewGuid(), _intake.Instance, AckLevel.Disk, 2, Line("one")));
        await Assert.ThrowsAnyAsync<ArgumentException>(() => _intake.TakeAsync(Guid.NewGuid(), _intake.Instance, AckLevel.Stored, 1, Line("one")));
        Assert.Empty(await StoredAsync());
    }

    public async ValueTask DisposeAsync()
    {
        await _node.DisposeAsync();
        _folder.Dispose();
    }

    private static byte[] Line(string body) => Encoding.UTF8.GetBytes($"{{\"ts\":1,\"ip\":\"\",\"user_agent\":\"\",\"body\":\"{body}\"}}\n");

    private Task<Ack> TakeAsync(Guid number, params string[] bodies) =>
        _intake.TakeAsync(number, _intake.Instance, AckLevel.Disk, bodies.Length, bodies.SelectMany(Line).ToArray());

    private async Task<IReadOnlyList<string>> StoredAsync()
    {
        await _node.DrainAsync();
        return [.. StoredEvents.FromFolder(_node.Data).Select(stored => stored.Body)];
    }
}
