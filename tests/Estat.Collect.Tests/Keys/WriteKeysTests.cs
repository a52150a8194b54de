// Keys of a node go on holding, whatever becomes of their file.
using System.Diagnostics.Metrics;
using Estat.Base.Access;
using Estat.Base.Metrics;
using Estat.Collect.Options;
using Estat.Collect.Spooling;
using Microsoft.Extensions.Logging;

namespace Estat.Collect.Tests.Keys;

public sealed class WriteKeysTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly TempFolder _folder = new();
    private readonly ManualTimeProvider _time = new();
    private readonly LogLines _log = new();

    private string KeysFile => _folder["keys.json"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_is_no_file_in_its_place_is_logged_and_counted_once_and_the_next_look_comes()
    {
        Write("shop");
        using var meter = new Meter("test");
        using var metrics = new PrometheusText(meter);
        using WriteKeys keys = WriteKeys.Open(new WriteKeyOptions { File = KeysFile }, _time, _log)!;
        keys.Observe(meter);
        keys.Start(state: null);
        Assert.Equal((0, 0), (metrics.Value("estat_key_file_failing"), metrics.Value("estat_key_file_errors_total")));
        File.Delete(KeysFile);
        await Command.SucceedAsync(Limit, "mkfifo", KeysFile);
        for (int look = 0; look < 3; look++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await keys.Looking.WaitAsync(Limit);
        }

        Assert.Contains("stay valid", Assert.Single(_log.Of(LogLevel.Error)), StringComparison.Ordinal);
        Assert.Equal((1, 1), (metrics.Value("estat_key_file_failing"), metrics.Value("estat_key_file_errors_total")));
        Assert.Equal("shop", Assert.Single(keys.Table.Senders).Name);

        Write("blog");
        _time.Advance(TimeSpan.FromSeconds(1));
        await keys.Looking.WaitAsync(Limit);
        Assert.Equal("blog", Assert.Single(keys.Table.Senders).Name);
        Assert.Equal((0, 1), (metrics.Value("estat_key_file_failing"), metrics.Value("estat_key_file_errors_total")));
    }

    [Fact]
    public async Task What_a_clock_that_had_jumped_forward_used_up_is_there_again_after_a_restart_and_what_was_used_today_is_not()
    {
        Write("shop", quota: 5);
        using (Spool spool = OpenSpool())
        using (WriteKeys first = Open(spool))
        {
            Assert.Equal(KeyRefusal.None, Take(first, 2));
            _time.UtcNow += TimeSpan.FromDays(30);
            Assert.Equal(KeyRefusal.None, Take(first, 5));
            Assert.Equal(KeyRefusal.Quota, Take(first, 1));
        }

        _time.UtcNow -= TimeSpan.FromDays(30);
        using Spool again = OpenSpool();
        using WriteKeys second = Open(again);
        Assert.Equal(KeyRefusal.Quota, Take(second, 4));
        Assert.Equal(KeyRefusal.None, Take(second, 3));
        await second.Looking.WaitAsync(Limit);
    }

    [Theory]
    [InlineData("replaced by another")]
    [InlineData("replaced by a link")]
    public async Task Used_quotas_are_not_written_into_a_folder_that_stands_in_the_place_of_the_spool(string how)
    {
        Write("shop", quota: 5);
        using Spool spool = OpenSpool();
        using WriteKeys keys = Open(spool);
        Directory.Move(_folder["spool"], _folder["elsewhere"]);
        Directory.CreateDirectory(_folder["stranger"]);
        if (how == "replaced by a link")
        {
            Directory.CreateSymbolicLink(_folder["spool"], _folder["stranger"]);
        }
        else
        {
            Directory.Move(_folder["stranger"], _folder["spool"]);
        }

        Assert.Equal(KeyRefusal.None, Take(keys, 4));
        await _time.AdvanceUntilAsync(
            TimeSpan.FromSeconds(1), () => _log.Of(LogLevel.Warning).Length == 1, "it to be told that quotas are kept in memory");
        Assert.Contains("keeps in memory", Assert.Single(_log.Of(LogLevel.Warning)), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(_folder["spool"]));

        Directory.Delete(_folder["spool"]);
        Directory.Move(_folder["elsewhere"], _folder["spool"]);
        await _time.AdvanceUntilAsync(
            TimeSpan.FromSeconds(1), () => File.Exists(_folder[$"spool/{QuotaFile.Name}"]), "them to be written when the folder is back");
        Assert.Single(_log.Of(LogLevel.Warning));
    }

    private static KeyRefusal Take(WriteKeys keys, int events) => keys.Table.Senders.Single().Take(events, out _, out _);

    private WriteKeys Open(Spool spool)
    {
        WriteKeys keys = WriteKeys.Open(new WriteKeyOptions { File = KeysFile }, _time, _log)!;
        keys.Start(spool);
        return keys;
    }

    private Spool OpenSpool() =>
        Spool.Open(new CollectOptions { SpoolDir = _folder["spool"], SpoolVolatile = true }, spares: 1, _time, NullLogger.Instance);

    private void Write(string name, long? quota = null)
    {
        _ = KeyHash.TryOf(KeyHash.NewKey(), out KeyHash hash);
        using (FileStream file = File.Create(KeysFile + ".next"))
        {
            WriteKeyFile.Write(file, [new WriteKey { Name = name, Hashes = [hash], DailyQuota = quota }]);
        }

        File.Move(KeysFile + ".next", KeysFile, overwrite: true);
    }
}
