// Turns of encoding the same lines over and over.
using System.Diagnostics;
using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using Estat.Base.Memory;
using Estat.Bench.Measuring;
using Estat.Collect.Batching;
using Estat.Collect.Events;
using Estat.Collect.Metrics;
using Estat.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Bench.Encoders;

/// <summary>Each method measures for a while. What is compressed goes where a batch's content goes, into pooled memory; pigz' goes into a
/// file.</summary>
internal sealed class Encoding
{
    internal const string MegabytesPerSecond = "mb_per_second";
    internal const string MicrosPerEvent = "cpu_us_per_event";
    internal const string Shrunk = "to_one";

    private const int BatchEvents = 5000; // BATCH_SIZE
    private const int ChunkBytes = 256 * 1024; // as lines reach the encoder in a busy node
    private const int PigzFiles = 8;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private readonly byte[][] _bodies;
    private readonly byte[] _line;
    private readonly byte[][] _batches;
    private readonly string _file;
    private readonly TimeSpan _duration;

    internal Encoding(byte[][] bodies, string folder, TimeSpan duration)
    {
        _bodies = bodies;
        _duration = duration;
        _line = new byte[bodies.Max(body => LineEncoder.MaxLength(Header(), body.Length))];
        _batches = [.. bodies.Chunk(BatchEvents).Select(Lines)];
        _file = Path.Combine(folder, "events.jsonl");
        File.WriteAllBytes(_file, [.. _batches.SelectMany(lines => lines)]);
    }

    internal double BytesPerLine => (double)AllBytes / _bodies.Length;

    private long AllBytes => _batches.Sum(lines => (long)lines.Length);

    internal Dictionary<string, double> EncodeLines() => Repeat(() =>
    {
        foreach (byte[] body in _bodies)
        {
            LineEncoder.Encode(Header(), body, _line);
        }

        return AllBytes;
    });

    internal Dictionary<string, double> Hash() => Repeat(() =>
    {
        foreach (byte[] lines in _batches)
        {
            SHA256.HashData(lines);
        }

        return AllBytes;
    });

    internal Dictionary<string, double> EncodeBatches(int level)
    {
        using var encoder = new BatchEncoder(BatchEncoder.Gzip(level), NullLogger.Instance, onDropped: null);
        return Repeat(() =>
        {
            long content = 0;
            foreach (byte[] lines in _batches)
            {
                var batch = new OpenBatch("raw/bench.jsonl.gz", DateTimeOffset.UnixEpoch, isAwaited: false);
                for (int at = 0; at < lines.Length; at += ChunkBytes)
                {
                    encoder.Append(batch, lines.AsSpan(at, Math.Min(ChunkBytes, lines.Length - at)), 1);
                }

                using SealedBatch whole = encoder.Seal(FlushReason.Count);
                content += whole.ContentBytes;
            }

            return content;
        });
    }

    internal Dictionary<string, double> Compress(int level) => Repeat(() =>
    {
        long content = 0;
        foreach (byte[] lines in _batches)
        {
            using var compressed = new PooledStream();
            using (Stream gzip = new GZipStream(compressed, new ZLibCompressionOptions { CompressionLevel = level }, leaveOpen: true))
            {
                for (int at = 0; at < lines.Length; at += ChunkBytes)
                {
                    gzip.Write(lines, at, Math.Min(ChunkBytes, lines.Length - at));
                }
            }

            content += compressed.Length;
        }

        return content;
    });

    internal async Task<Dictionary<string, double>> RunPigzAsync()
    {
        string files = string.Join(' ', Enumerable.Repeat($"'{_file}'", PigzFiles));
        TimeSpan cpu = Processes.CpuTimeOfEndedChildren();
        long started = Stopwatch.GetTimestamp();
        string size = await Command.SucceedAsync(Patience, "sh", "-c", $"pigz -c -1 -p 1 {files} > '{_file}.gz' && wc -c < '{_file}.gz'");
        TimeSpan elapsed = Stopwatch.GetElapsedTime(started);
        cpu = Processes.CpuTimeOfEndedChildren() - cpu;
        return Reading(PigzFiles, elapsed, cpu, double.Parse(size, CultureInfo.InvariantCulture) / PigzFiles);
    }

    private static EventHeader Header() => new()
    {
        UnixSeconds = 1_767_323_045,
        Ip = "203.0.113.77"u8,
        UserAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120 Safari/537.36",
    };

    private byte[] Lines(byte[][] bodies)
    {
        using var lines = new MemoryStream();
        foreach (byte[] body in bodies)
        {
            lines.Write(_line, 0, LineEncoder.Encode(Header(), body, _line));
        }

        return lines.ToArray();
    }

    // The pass returns the bytes that it made of all lines.
    private Dictionary<string, double> Repeat(Func<long> pass)
    {
        TimeSpan cpu = Environment.CpuUsage.TotalTime;
        long started = Stopwatch.GetTimestamp();
        int passes = 0;
        long made = 0;
        do
        {
            made = pass();
            passes++;
        }
        while (Stopwatch.GetElapsedTime(started) < _duration);
        return Reading(passes, Stopwatch.GetElapsedTime(started), Environment.CpuUsage.TotalTime - cpu, made);
    }

    private Dictionary<string, double> Reading(int passes, TimeSpan elapsed, TimeSpan cpu, double made) => new()
    {
        [MegabytesPerSecond] = passes * AllBytes / Metric.Megabyte / elapsed.TotalSeconds,
        [MicrosPerEvent] = cpu.TotalMicroseconds / passes / _bodies.Length,
        [Shrunk] = AllBytes / made,
    };
}
