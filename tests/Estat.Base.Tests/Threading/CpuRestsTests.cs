// Work that can wait leaves a small CPU to others.
using Estat.Base.Threading;

namespace Estat.Base.Tests.Threading;

public sealed class CpuRestsTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly List<double> _rests = [];
    private readonly CpuRests _work;

    public CpuRestsTests() => _work = new CpuRests(cpus: 0.25, _time, length =>
    {
        _rests.Add(length.TotalMilliseconds);
        _time.Advance(length);
    });

    [Fact]
    public void A_rest_is_nineteen_times_as_long_as_the_work_before_it()
    {
        Work(2);
        Work(10);
        Assert.Equal([38, 190], _rests);
    }

    [Fact]
    public void With_a_whole_CPU_it_is_four_times_as_long()
    {
        var work = new CpuRests(cpus: 1, _time, length => _rests.Add(length.TotalMilliseconds));
        _time.Advance(TimeSpan.FromMilliseconds(2));
        work.Take();
        Assert.Equal([8], _rests);
    }

    [Fact]
    public void Steps_of_less_than_a_millisecond_are_added_up()
    {
        Work(0.4);
        Work(0.4);
        Assert.Empty(_rests);
        Work(0.4);
        Assert.Equal([22.8], _rests);
    }

    [Fact]
    public void Work_that_was_held_up_for_long_rests_for_a_second()
    {
        Work(5000);
        Assert.Equal([1000], _rests);
    }

    private void Work(double milliseconds)
    {
        _time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        _work.Take();
    }
}
