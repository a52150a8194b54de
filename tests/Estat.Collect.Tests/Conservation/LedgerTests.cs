// Accepted + found = stored + buffered + spooled + DLQ + quarantined + dropped: always.
using Estat.Collect.Conservation;

namespace Estat.Collect.Tests.Conservation;

public sealed class LedgerTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Fact]
    public void Events_are_where_they_were_moved_last()
    {
        var ledger = new Ledger(() => 100, () => 50);
        ledger.Move(40, Place.Buffered, Place.Stored);
        ledger.Move(30, Place.Buffered, Place.Dlq);
        ledger.Find(5, Place.Dlq);
        ledger.Find(7, Place.Spooled);
        ledger.Move(20, Place.Dlq, Place.Stored);
        ledger.Move(3, Place.Dlq, Place.Quarantined);
        ledger.Move(2, Place.Dlq, Place.Dropped);
        ledger.Move(1, Place.Buffered, Place.Dropped);
        ledger.Move(11, Place.Spooled, Place.Stored);
        ledger.Move(4, Place.Spooled, Place.Dlq);
        ledger.Move(2, Place.Spooled, Place.Quarantined);
        Assert.Equal(
            new Balance(Accepted: 150, Found: 12, Stored: 71, Buffered: 29, Spooled: 40, Dlq: 14, Quarantined: 5, Dropped: 3), ledger.Read());
        Assert.Equal((20, 34, 3), (ledger.Moved(Place.Dlq, Place.Stored), ledger.Arrived(Place.Dlq), ledger.Arrived(Place.Dropped)));
    }

    [Fact]
    public async Task Every_reading_adds_up_while_others_move_events()
    {
        long[] accepted = new long[2];
        var ledger = new Ledger(() => Interlocked.Read(ref accepted[0]), () => Interlocked.Read(ref accepted[1]));
        Task moving = Task.WhenAll(Enumerable.Range(0, 2).Select(place => Task.Run(() =>
        {
            for (int n = 0; n < 50_000; n++)
            {
                Interlocked.Add(ref accepted[place], 3);
                ledger.Move(3, place == 0 ? Place.Buffered : Place.Spooled, Place.Dlq);
                ledger.Move(2, Place.Dlq, Place.Stored);
                ledger.Move(1, Place.Dlq, n % 2 == 0 ? Place.Quarantined : Place.Dropped);
            }
        })));
        while (!moving.IsCompleted)
        {
            Balance b = ledger.Read();
            Assert.Equal(b.Accepted + b.Found, b.Stored + b.Buffered + b.Spooled + b.Dlq + b.Quarantined + b.Dropped);
            Assert.True(b.Buffered >= 0 && b.Spooled >= 0 && b.Dlq >= 0, b.ToString());
        }

        await moving;
        Assert.Equal(new Balance(300_000, 0, 200_000, 0, 0, 0, 50_000, 50_000), ledger.Read());
    }

    [Fact]
    public async Task A_reading_of_the_ledger_that_hangs_keeps_no_move_waiting()
    {
        using var hung = new ManualResetEventSlim();
        using var reads = new SemaphoreSlim(0);
        var ledger = new Ledger(
            () =>
            {
                reads.Release();
                hung.Wait();
                return 10;
            },
            () => 0);
        Task<Balance> reading = Task.Run(ledger.Read);
        Assert.True(await reads.WaitAsync(Limit));
        await Task.Run(() => ledger.Move(4, Place.Buffered, Place.Stored)).WaitAsync(Limit);
        hung.Set();
        Balance balance = await reading.WaitAsync(Limit);
        Assert.Equal((6, 4), (balance.Buffered, balance.Stored)); // read again, as something had moved
    }
}
