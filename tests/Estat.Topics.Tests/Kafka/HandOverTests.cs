// Between the thread that consumes and the sink that reads.
using Estat.Topics.Kafka.Feeding;

namespace Estat.Topics.Tests.Kafka;

public sealed class HandOverTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TopicPartition Orders = new("orders", 0);

    [Fact]
    public async Task Who_waits_for_room_is_woken_by_much_and_goes_on_once_there_is_room()
    {
        var hand = new HandOver(mostBytes: 1 << 20, mostMessages: 2);
        hand.OnAssigned([Orders]);
        Assert.Equal([Orders], (await hand.ReadAsync(1, 1_000, default)).Assigned);
        hand.Seek(Orders, 0);
        hand.OnSought(Orders, 0);
        hand.Add(MessageAt(0));
        hand.Add(MessageAt(1));
        bool hadRoom = false;
        int looks = 0;
        var waiting = new Thread(() =>
        {
            hand.WaitForRoom(Patience, () => Interlocked.Increment(ref looks) == 0);
            hadRoom = hand.HasRoom;
        });
        waiting.Start();
        for (int look = 1; look <= 3; look++)
        {
            await Wait.UntilAsync(() => Volatile.Read(ref looks) >= look || !waiting.IsAlive, Patience, $"the consumer to look {look} times");
            hand.Wake();
        }

        await Wait.UntilAsync(() => Volatile.Read(ref looks) > 3 || !waiting.IsAlive, Patience, "the consumer to look once more");
        Assert.Single((await hand.ReadAsync(1, 1_000, default)).Messages);
        Assert.True(waiting.Join(Patience), "the consumer waits though there is room");
        Assert.True(hadRoom, "the consumer went on before there was room");
    }

    private static LogMessage MessageAt(long offset) => new(new MessagePosition(Orders.Topic, Orders.Partition, offset), 0, null, [], new byte[10]);
}
