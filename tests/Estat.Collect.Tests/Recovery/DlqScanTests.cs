// Which file is tried next: the oldest that is due, without ever listing the folder, and each in its turn.
using Estat.Base.Storage;
using Estat.Collect.Dlq;
using Estat.Lake.Names;

namespace Estat.Collect.Tests.Recovery;

public sealed class DlqScanTests : IDisposable
{
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(1);
    private readonly TempFolder _folder = new();
    private readonly ManualTimeProvider _time = new();
    private readonly DlqScan _scan;

    public DlqScanTests() => _scan = new DlqScan(() => _folder.Path, _time, LongestBackoff);

    public void Dispose()
    {
        _scan.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void An_empty_folder_has_nothing_due_however_often_one_asks() => Assert.All(Enumerable.Range(0, 5), _ => Assert.Null(_scan.NextDue()));

    [Fact]
    public void A_file_that_was_put_off_while_the_clock_had_jumped_forward_has_its_turn_when_the_clock_is_back()
    {
        string path = Put(1);
        var putOff = new DlqPutOff(_time);
        DateTimeOffset truth = _time.UtcNow;
        _time.UtcNow += TimeSpan.FromDays(30);
        putOff.Add(path, "its meta cannot be read");
        _time.UtcNow = truth;
        Assert.Null(putOff.NextOf(_scan));
        _time.Advance(Backoff.Dlq.Longest);
        Assert.Equal(path, putOff.NextOf(_scan) ?? putOff.NextOf(_scan));
    }

    [Fact]
    public void Files_that_have_left_the_folder_are_put_off_no_longer_and_make_room_for_others()
    {
        var putOff = new DlqPutOff(_time);
        for (int n = 0; n < DlqPutOff.Most; n++)
        {
            putOff.Add(_folder[$"gone_a_{n}.jsonl.gz"], "its meta cannot be read"); // which was never there: as good as gone
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        Assert.InRange(putOff.Count, 1, DlqPutOff.Most / 10);
        string[] there = [Put(1), Put(2)];
        Array.ForEach(there, path => putOff.Add(path, "its meta cannot be read"));
        Assert.Null(putOff.NextOf(_scan));
        putOff.Forget(there[1]);
        Assert.Equal(there[1], putOff.NextOf(_scan) ?? putOff.NextOf(_scan));
    }

    [Fact]
    public void Of_too_many_files_that_are_put_off_those_that_leave_make_room_within_a_minute()
    {
        var putOff = new DlqPutOff(_time);
        string[] there = [.. Enumerable.Range(1, DlqPutOff.Most).Select(n => Put(n))];
        Array.ForEach(there, path => putOff.Add(path, "its meta cannot be read"));
        Assert.Equal(DlqPutOff.Most, putOff.Count);
        Array.ForEach(there[..(DlqPutOff.Most / 2)], File.Delete);
        _time.Advance(TimeSpan.FromMinutes(1));
        putOff.Add(Put(DlqPutOff.Most + 1), "its meta cannot be read");
        Assert.Equal((DlqPutOff.Most / 2) + 1, putOff.Count);
    }

    [Fact]
    public void A_file_that_comes_after_the_folder_was_read_is_found()
    {
        Assert.Null(_scan.NextDue());
        string path = Put(1);
        Assert.Equal(path, NextWithin(2));
    }

    [Fact]
    public void The_oldest_that_is_due_comes_first()
    {
        string[] paths = [Put(30), Put(10, dueIn: 50), Put(20), Put(5, dueIn: 50)];
        Assert.Equal(paths[2], Take());
        Assert.Equal(paths[0], Take());
        Assert.Null(_scan.NextDue());
    }

    [Fact]
    public void What_is_not_due_waits_for_its_time()
    {
        string path = Put(1, dueIn: 10);
        Assert.All(Enumerable.Range(0, 5), _ => Assert.Null(_scan.NextDue()));
        _time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.All(Enumerable.Range(0, 5), _ => Assert.Null(_scan.NextDue()));
        _time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Equal(path, NextWithin(2));
    }

    [Fact]
    public void A_due_time_further_off_than_any_backoff_is_a_clock_that_jumped()
    {
        string path = Put(1, dueIn: LongestBackoff.TotalSeconds + 1);
        Assert.Equal(path, _scan.NextDue());
    }

    [Fact]
    public void Other_files_of_the_folder_are_none_of_its_business()
    {
        File.WriteAllText(_folder[".lock"], "");
        File.WriteAllText(_folder[".tmp-x"], "");
        File.WriteAllText(_folder["1_a_1.jsonl.gz.meta.json"], "");
        Assert.All(Enumerable.Range(0, 3), _ => Assert.Null(_scan.NextDue()));
    }

    [Fact]
    public void Of_five_thousand_files_each_is_given_out_once_oldest_first_within_each_thousand_names()
    {
        var random = new Random(5);
        for (int n = 0; n < 5000; n++)
        {
            File.WriteAllBytes(_folder[$"{random.Next(1, 1_000_000)}_a_{n}.jsonl.gz"], []);
        }

        var given = new List<string>();
        while (_scan.NextDue() is { } path)
        {
            given.Add(path);
        }

        Assert.Equal(5000, given.Distinct().Count());
        foreach (string[] window in given.Chunk(DlqScan.NamesPerScan))
        {
            DateTimeOffset[] opened = [.. window.Select(path => ObjectKeys.OpenedOf(Path.GetFileName(path))!.Value)];
            Assert.Equal(opened.Order(), opened);
        }
    }

    [Fact]
    public void A_file_that_is_gone_is_passed_over()
    {
        string[] paths = [Put(1), Put(2), Put(3)];
        Assert.Equal(paths[0], _scan.NextDue());
        File.Delete(paths[1]);
        Assert.Equal(paths[2], _scan.NextDue());
    }

    private string Put(long opened, double? dueIn = null)
    {
        string path = _folder[$"{opened}_a_1.jsonl.gz"];
        File.WriteAllBytes(path, []);
        if (dueIn is { } seconds)
        {
            File.WriteAllText(path + DlqDirectory.MetaExtension, "");
            File.SetLastWriteTimeUtc(path + DlqDirectory.MetaExtension, _time.UtcNow.UtcDateTime.AddSeconds(seconds));
        }

        return path;
    }

    // As recovery does after a success.
    private string? Take()
    {
        string? path = _scan.NextDue();
        if (path is not null)
        {
            File.Delete(path);
        }

        return path;
    }

    private string? NextWithin(int calls)
    {
        string? path = null;
        for (; calls > 0 && path is null; calls--)
        {
            path = _scan.NextDue();
        }

        return path;
    }
}
