// What each level costs and saves, and how far Estat's encoder is from zlib-ng itself.
using System.Globalization;
using System.Security.Cryptography;
using Estat.Base.Memory;
using Estat.Collect.Batching;
using Estat.Collect.Metrics;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Microbench.Gzip;

/// <summary>
/// Compresses the same lines in the chunks and batches that a node would, by each way in turn, so that a disturbance meets all of them alike. Times
/// are CPU time of this thread, medians over rounds: other processes of the machine count only by the caches that they empty.
/// </summary>
internal static class GzipCost
{
    private const int BatchSize = 5000; // BATCH_SIZE's default

    private static readonly int[] Levels = [1, 2, 3, 4, 5, 6, 9];

    private delegate long Way(int level, byte[] lines, Range[] chunks);

    /// <summary>20 batches of made-up page views, 66 MB.</summary>
    internal static byte[][] Samples() => [.. Enumerable.Range(0, 20).Select(seed => Microbench.Samples.Lines(BatchSize, seed))];

    /// <summary>Lines of a file, as the batches that they would have been.</summary>
    internal static byte[][] BatchesOf(byte[] lines)
    {
        var batches = new List<byte[]>();
        int start = 0;
        int events = 0;
        for (int at = 0; at < lines.Length;)
        {
            int length = lines.AsSpan(at).IndexOf((byte)'\n') + 1;
            at = length == 0 ? lines.Length : at + length;
            if (++events % BatchSize == 0 || at == lines.Length)
            {
                batches.Add(lines[start..at]);
                start = at;
            }
        }

        return [.. batches];
    }

    internal static void Run(byte[][] batches, int rounds)
    {
        NativeHeap.Limit();
        Range[][] chunks = [.. batches.Select(ChunksOf)];
        int events = batches.Sum(batch => batch.AsSpan().Count((byte)'\n'));
        double rawBytes = batches.Sum(batch => (double)batch.Length);
        var output = new byte[batches.Max(batch => batch.Length) * 2];
        using var encoderHash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        (string Name, Way Way)[] ways =
        [
            ("zlib-ng", (level, lines, parts) => BareZlib.Compress(level, lines, parts, output)),
            ("GZipStream", OverStream),
            ("encoder", Encoder),
            ("SHA-256", (_, lines, parts) => Hash(encoderHash, lines, parts)),
        ];

        Console.WriteLine($"{events} events, {rawBytes / events:0} bytes a line, {rounds} rounds; µs of CPU an event, medians; shares are of "
            + $"zlib-ng's");
        Console.WriteLine("| level | bytes an event | ratio | zlib-ng | GZipStream to PooledStream | BatchEncoder | of it SHA-256 | BatchEncoder "
            + "without it |");
        Console.WriteLine("|---|---|---|---|---|---|---|---|");
        var times = new double[Levels.Length, ways.Length, rounds];
        var bytes = new long[Levels.Length];
        for (int round = -1; round < rounds; round++)
        {
            for (int level = 0; level < Levels.Length; level++)
            {
                for (int way = 0; way < ways.Length; way++)
                {
                    long started = ThreadClock.Now();
                    long length = 0;
                    for (int batch = 0; batch < batches.Length; batch++)
                    {
                        length += ways[way].Way(Levels[level], batches[batch], chunks[batch]);
                    }

                    bytes[level] = way == 0 ? length : bytes[level];
                    if (round >= 0)
                    {
                        times[level, way, round] = (ThreadClock.Now() - started) / 1e3 / events;
                    }
                }
            }
        }

        for (int level = 0; level < Levels.Length; level++)
        {
            double[] medians = [.. Enumerable.Range(0, ways.Length)
                .Select(way => Median(Enumerable.Range(0, rounds).Select(r => times[level, way, r])))];
            double pure = medians[2] - medians[3];
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {Levels[level]} | {(double)bytes[level] / events:0.0} | {rawBytes / bytes[level]:0.00} | {medians[0]:0.00} "
                + $"| {medians[1]:0.00} ({Share(medians[1])}) | {medians[2]:0.00} ({Share(medians[2])}) | {medians[3]:0.00} | {pure:0.00} "
                    + $"({Share(pure)}) |"));

            string Share(double value) => string.Create(CultureInfo.InvariantCulture, $"{Math.Round(100 * ((value / medians[0]) - 1)):+0;−0;0} %");
        }
    }

    private static long OverStream(int level, byte[] lines, Range[] chunks)
    {
        using var content = new PooledStream();
        using (Stream gzip = BatchEncoder.Gzip(level)(content))
        {
            foreach (Range chunk in chunks)
            {
                gzip.Write(lines.AsSpan(chunk));
            }
        }

        return content.Length;
    }

    private static long Encoder(int level, byte[] lines, Range[] chunks)
    {
        using var encoder = new BatchEncoder(BatchEncoder.Gzip(level), NullLogger.Instance, null);
        var open = new OpenBatch("raw/key.jsonl.gz", DateTimeOffset.UnixEpoch, isAwaited: false);
        foreach (Range chunk in chunks)
        {
            encoder.Append(open, lines.AsSpan(chunk), 1);
        }

        using SealedBatch batch = encoder.Seal(FlushReason.Count);
        return batch.ContentBytes;
    }

    private static long Hash(IncrementalHash hash, byte[] lines, Range[] chunks)
    {
        foreach (Range chunk in chunks)
        {
            hash.AppendData(lines.AsSpan(chunk));
        }

        return hash.GetHashAndReset().Length;
    }

    // Whole lines, as many as a partition fits into a chunk.
    private static Range[] ChunksOf(byte[] lines)
    {
        var chunks = new List<Range>();
        int start = 0;
        for (int at = 0; at < lines.Length;)
        {
            int length = lines.AsSpan(at).IndexOf((byte)'\n') + 1;
            int end = length == 0 ? lines.Length : at + length;
            if (end - start > ChunkPool.ChunkBytes)
            {
                chunks.Add(start..at);
                start = at;
            }

            at = end;
        }

        chunks.Add(start..lines.Length);
        return [.. chunks];
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }
}
