// The encoder and gzip by themselves, on one thread: what of an event's cost is theirs, and what another gzip would cost.
using Estat.Bench.Load;
using Estat.Bench.Reporting;
using Estat.Bench.Suite;
using Estat.Testing;

namespace Estat.Bench.Encoders;

internal sealed class EncodePart : ISuitePart
{
    private const int Events = 30_000; // six batches, 20 MB: far more than gzip looks back over, and than a core's cache
    private static readonly int[] Levels = [1, 2, 6];
    private static readonly IReadOnlyList<Column> Columns =
        [new(Encoding.MegabytesPerSecond, "MB/s", 0), new(Encoding.MicrosPerEvent, "µs/event", 2), new(Encoding.Shrunk, "to 1", 2)];

    public string Name => "encode";

    public async Task<IReadOnlyList<Section>> RunAsync(SuiteContext context)
    {
        var encoding = new Encoding(EventBodies.PageViews(Events), context.FolderOf("encode"), context.Options.Turn / 5);
        var contenders = new List<Contender> { Of("LineEncoder", encoding.EncodeLines), Of("SHA-256", encoding.Hash) };
        foreach (int level in Levels)
        {
            contenders.Add(Of($"BatchEncoder (gzip + SHA-256), level {level}", () => encoding.EncodeBatches(level)));
            contenders.Add(Of($"GZipStream, level {level}", () => encoding.Compress(level)));
        }

        var notes = new List<string>();
        if (Command.Exists("pigz"))
        {
            contenders.Add(new Contender("pigz -1 -p 1", encoding.RunPigzAsync));
        }
        else
        {
            notes.Add("no pigz on PATH: apt-get install pigz");
        }

        IReadOnlyList<Row> rows = await Contender.CompareAsync(Name, contenders, context.Options.Rounds, context);
        return [new Section(
            Name, $"one thread, lines of {encoding.BytesPerLine:0} bytes; MB of lines by the clock, µs of CPU", Columns, rows, notes)];
    }

    private static Contender Of(string name, Func<Dictionary<string, double>> measure) => new(name, () => Task.FromResult(measure()));
}
