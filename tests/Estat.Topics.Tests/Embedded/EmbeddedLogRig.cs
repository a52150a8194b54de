// An embedded log in a folder of its own, closed and opened again as a test says.
using System.Text;
using Estat.Topics.Embedded;
using Estat.Topics.Log;
using Estat.Topics.Options;

namespace Estat.Topics.Tests.Embedded;

/// <summary>Opened when it is used first; time stands until a test moves it, and the folder is kept in order only when a test asks for it.</summary>
public abstract class EmbeddedLogRig : IAsyncDisposable
{
    private EmbeddedLog? _log;

    private protected static TimeSpan Patience => TimeSpan.FromSeconds(20);

    private protected EmbeddedLog Log => _log ??= Open();

    private protected TempFolder Folder { get; } = new();

    private protected ManualTimeProvider Time { get; } = new();

    private protected LogLines Lines { get; } = new();

    private protected TopicsOptions Options { get; set; } = new() { MinFreeBytes = 0, SegmentBytes = 20_000, Sink = false };

    /// <summary>The disk, once a test has put one in place of the machine's that does what the test says.</summary>
    private protected HeldFiles? Disk { get; set; }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        Disk?.GoOn();
        await (_log?.DisposeAsync() ?? ValueTask.CompletedTask);
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected static NewMessage Message(string? key, string value) =>
        new(key is null ? (ReadOnlyMemory<byte>?)null : Encoding.UTF8.GetBytes(key), [], Encoding.UTF8.GetBytes(value));

    private protected static Production Keyed(string key, byte body, params string[] keys) =>
        new("notifications", [.. keys.Select(each => Message(each, "1"))], new Idempotency("", key, new[] { body }));

    private protected static string Text(ReadOnlyMemory<byte>? bytes) => Encoding.UTF8.GetString(bytes!.Value.Span);

    private protected EmbeddedLog Open() => Open(keeps: false);

    /// <summary>Opens it.</summary>
    /// <param name="keeps">Whether it keeps its folder in order by itself, as in a node.</param>
    private protected EmbeddedLog Open(bool keeps)
    {
        LogFolder folder = Disk is null ? LogFolder.Take(Folder.Path, Options.MinFreeBytes) : new LogFolder(Disk, null, Options.MinFreeBytes);
        return _log = new EmbeddedLog(Options, folder, Time, Lines, keeps);
    }

    private protected async Task ReopenAsync()
    {
        _ = Log;
        await CloseAsync();
        _ = Log;
    }

    private protected async Task CloseAsync()
    {
        await _log!.DisposeAsync();
        _log = null;
    }

    private protected long[] Ends() => [.. Log.Topics.SelectMany(topic => topic.Partitions).Select(partition => partition.End)];

    private protected async Task ProduceAsync(int count, string topic)
    {
        foreach (int[] numbers in Enumerable.Range(0, count).Chunk(10))
        {
            Produced produced = await Log.ProduceAsync(
                new Production(topic, [.. numbers.Select(number => Message($"user-{number % 17}", $"{{\"number\":{number}}}"))]), default);
            Assert.Equal(ProduceOutcome.Taken, produced.Outcome);
        }
    }
}
