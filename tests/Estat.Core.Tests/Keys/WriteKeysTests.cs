// Keys of a node go on holding, whatever becomes of their file.
using Estat.Core.Keys;
using Estat.Core.Options;
using Microsoft.Extensions.Logging;

namespace Estat.Core.Tests.Keys;

public sealed class WriteKeysTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly TempFolder _folder = new();
    private readonly ManualTimeProvider _time = new();
    private readonly LogLines _log = new();

    private string KeysFile => _folder["keys.json"];

    public void Dispose() => _folder.Dispose();

    // A pipe is a file that has no length, and so an exception that reading a file has not.
    [Fact]
    public async Task What_nobody_foresaw_of_the_file_is_logged_once_and_the_next_look_comes()
    {
        Write("shop");
        using WriteKeys keys = WriteKeys.Open(new EstatOptions { WriteKeysFile = KeysFile }, quotaFolder: null, _time, _log)!;
        keys.Start();
        File.Delete(KeysFile);
        using (HeldFile pipe = await HeldFile.CreateAsync(KeysFile))
        {
            for (int look = 0; look < 2; look++)
            {
                Task reading = pipe.UntilReadAsync(Limit);
                await Wait.UntilAsync(() => { _time.Advance(TimeSpan.FromSeconds(1)); return reading.IsCompleted; }, Limit, "a look at the pipe");
                await reading;
            }

            Write("blog");
        }

        await Wait.UntilAsync(() => { _time.Advance(TimeSpan.FromSeconds(1)); return keys.Table.Senders.Any(sender => sender.Name == "blog"); }, Limit, "the mended file to be read");
        Assert.Single(_log.Of(LogLevel.Error), line => line.Contains("still hold", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_look_that_hangs_keeps_nobody_from_ending()
    {
        Write("shop");
        WriteKeys keys = WriteKeys.Open(new EstatOptions { WriteKeysFile = KeysFile }, quotaFolder: null, _time, _log)!;
        keys.Start();
        File.Delete(KeysFile);
        using HeldFile pipe = await HeldFile.CreateAsync(KeysFile);
        DateTimeOffset before = _time.UtcNow;
        var look = Task.Run(() => _time.Advance(TimeSpan.FromSeconds(1))); // which looks, and waits for somebody to write
        await Wait.UntilAsync(() => _time.UtcNow > before, Limit, "the look to begin");
        await Task.Run(keys.Dispose).WaitAsync(Limit);
        using (new FileStream(KeysFile, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite)) // both ends: Linux waits for nobody then
        {
            await look.WaitAsync(Limit);
        }
    }

    private void Write(string name)
    {
        _ = KeyHash.TryOf(KeyHash.NewKey(), out KeyHash hash);
        using (FileStream file = File.Create(KeysFile + ".next"))
        {
            WriteKeyFile.Write(file, [new WriteKey { Name = name, Hashes = [hash] }]);
        }

        File.Move(KeysFile + ".next", KeysFile, overwrite: true);
    }
}
