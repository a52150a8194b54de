// A partition with its writer, as a node has them, and what came out of it.
using Estat.Core.Batching;
using Estat.Core.Ingest;
using Estat.Core.Options;

namespace Estat.Core.Tests.Support;

/// <summary>One partition over a clock that the test drives. Its writer stands still until <see cref="Start"/>.</summary>
internal sealed class Lane : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private readonly List<SealedBatch> _batches = [];
    private readonly ChunkPool _chunks = new();
    private readonly EstatOptions _options;
    private Task? _writer;

    internal Lane(EstatOptions? options = null, Func<Task>? downstream = null)
    {
        _options = (options ?? new EstatOptions()) with { Partitions = 1 };
        Partition = new Partition(
            _options, new ObjectKeys("raw", ObjectKeys.NewInstance()), _chunks,
            new BatchEncoder(BatchEncoder.Gzip(1), NullLogger.Instance, _ => { }),
            async batch =>
            {
                _batches.Add(batch);
                await (downstream?.Invoke() ?? Task.CompletedTask);
            },
            Time);
    }

    internal ManualTimeProvider Time { get; } = new();

    internal Partition Partition { get; }

    internal void Start() => _writer ??= Task.Run(Partition.RunAsync);

    internal Admission Append(string body) => Partition.Append(EventLines.Header(), System.Text.Encoding.UTF8.GetBytes(body));

    internal Admission AppendBlock(params IEnumerable<string> bodies)
    {
        using var block = new LineBlock(_chunks, _options.BatchSize);
        foreach (string body in bodies)
        {
            block.Add(EventLines.Header(), System.Text.Encoding.UTF8.GetBytes(body));
        }

        return Partition.Append(block);
    }

    /// <summary>Closes the lane and gives what it sealed, in order.</summary>
    internal async Task<IReadOnlyList<SealedBatch>> CloseAsync()
    {
        Start();
        Partition.Close();
        await _writer!.WaitAsync(Limit);
        return _batches;
    }

    /// <summary>The same as text: a batch per line, its reason and its bodies.</summary>
    internal async Task<string[]> CloseAndTellAsync() =>
        [.. (await CloseAsync()).Select(batch => $"{batch.Reason}: {string.Join(' ', EventLines.BodiesOf(batch))}")];

    public void Dispose()
    {
        Partition.Dispose();
        _batches.ForEach(batch => batch.Dispose());
    }
}
