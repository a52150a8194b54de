// Accepted + found = stored + buffered + DLQ + quarantined + dropped: always.
using Estat.Core.Conservation;

namespace Estat.Core.Tests.Conservation;

public sealed class LedgerTests
{
    [Fact]
    public void Events_are_where_they_were_moved_last()
    {
        var ledger = new Ledger(() => 100);
        ledger.Move(40, Place.Buffered, Place.Stored);
        ledger.Move(30, Place.Buffered, Place.Dlq);
        ledger.Find(5);
        ledger.Move(20, Place.Dlq, Place.Stored);
        ledger.Move(3, Place.Dlq, Place.Quarantined);
        ledger.Move(2, Place.Dlq, Place.Dropped);
        ledger.Move(1, Place.Buffered, Place.Dropped);
        Assert.Equal(new Balance(Accepted: 100, Found: 5, Stored: 60, Buffered: 29, Dlq: 10, Quarantined: 3, Dropped: 3), ledger.Read());
        Assert.Equal((20, 30, 3), (ledger.Moved(Place.Dlq, Place.Stored), ledger.Arrived(Place.Dlq), ledger.Arrived(Place.Dropped)));
    }

    [Fact]
    public async Task Every_reading_adds_up_while_others_move_events()
    {
        long accepted = 0;
        var ledger = new Ledger(() => Interlocked.Read(ref accepted));
        Task moving = Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            for (int n = 0; n < 50_000; n++)
            {
                Interlocked.Add(ref accepted, 3);
                ledger.Move(3, Place.Buffered, Place.Dlq);
                ledger.Move(2, Place.Dlq, Place.Stored);
                ledger.Move(1, Place.Dlq, n % 2 == 0 ? Place.Quarantined : Place.Dropped);
            }
        })));
        while (!moving.IsCompleted)
        {
            Balance b = ledger.Read();
            Assert.Equal(b.Accepted + b.Found, b.Stored + b.Buffered + b.Dlq + b.Quarantined + b.Dropped);
            Assert.True(b.Buffered >= 0 && b.Dlq >= 0, b.ToString());
        }

        await moving;
        Assert.Equal(new Balance(300_000, 0, 200_000, 0, 0, 50_000, 50_000), ledger.Read());
    }
}
