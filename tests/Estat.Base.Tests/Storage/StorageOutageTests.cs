// An outage of an hour is told in some ten lines, not in thousands.
using Estat.Base.Storage;
using Microsoft.Extensions.Logging;

namespace Estat.Base.Tests.Storage;

public sealed class StorageOutageTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogLines _log = new();
    private readonly StorageOutage _outage;
    private Func<(long, int)> _waiting = () => (7, 2);

    public StorageOutageTests() => _outage = new StorageOutage(() => _waiting(), _time, _log);

    public void Dispose() => _log.Dispose();

    [Fact]
    public void An_outage_is_told_when_it_begins_now_and_then_and_when_it_ends()
    {
        for (int second = 0; second < 3600; second++)
        {
            _outage.OnFailed("raw/a.jsonl.gz", "no route to host");
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        _outage.OnAnswer();

        string[] warnings = _log.Of(LogLevel.Warning);
        Assert.Equal(8, warnings.Length); // the beginning; 1, 5, 15, 25, 35, 45 and 55 minutes
        Assert.StartsWith("Storage began to fail with raw/a.jsonl.gz: no route to host.", warnings[0], StringComparison.Ordinal);
        Assert.StartsWith("Storage has failed for 1 min: 61 attempts so far, 7 files wait in the DLQ and 2 segments in the spool.", warnings[1],
            StringComparison.Ordinal);
        Assert.StartsWith("Storage has failed for 5 min: 301 attempts", warnings[2], StringComparison.Ordinal);
        Assert.StartsWith("Storage answers again after 60 min and 3600 failed attempts. The node now uploads 7 files",
            Assert.Single(_log.Of(LogLevel.Information)), StringComparison.Ordinal);
        Assert.Equal(3600, _log.Of(LogLevel.Debug).Length);
    }

    [Fact]
    public void Neither_a_line_nor_a_look_at_what_waits_is_under_its_lock()
    {
        var limit = TimeSpan.FromSeconds(20);
        int lines = 0;
        bool isInside = false;
        void Meet()
        {
            if (!isInside)
            {
                isInside = true;
                lines++;
                Assert.True(Task.Run(() => _outage.OnFailed("raw/b.jsonl.gz", "no answer")).Wait(limit), "an attempt waits for a line of the log");
                isInside = false;
            }
        }

        int told = 0;
        _log.OnLine = () =>
        {
            int tells = _log.Of(LogLevel.Warning).Length + _log.Of(LogLevel.Information).Length; // attempts are debug lines
            if (tells > Interlocked.Exchange(ref told, tells))
            {
                Meet();
            }
        };
        _waiting = () =>
        {
            Meet();
            return (1, 1);
        };
        _outage.OnFailed("raw/a.jsonl.gz", "no answer");
        _time.Advance(TimeSpan.FromMinutes(1));
        _outage.OnFailed("raw/a.jsonl.gz", "no answer");
        _outage.OnAnswer();
        Assert.Equal(5, lines); // the beginning, a summary with a look, the end with a look
    }

    [Fact]
    public void The_next_outage_is_told_afresh_and_answers_without_one_are_not_told()
    {
        _outage.OnAnswer();
        _outage.OnFailed("a", "x");
        _outage.OnAnswer();
        _outage.OnAnswer();
        _outage.OnFailed("b", "y");

        Assert.Equal(2, _log.Of(LogLevel.Warning).Length);
        Assert.Single(_log.Of(LogLevel.Information));
    }
}
