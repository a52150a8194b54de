// gzip and hash of a batch, streamed as the batch grows.
using System.IO.Compression;
using System.Security.Cryptography;
using Estat.Base.Memory;
using Estat.Base.Storage;
using Estat.Collect.Metrics;

namespace Estat.Collect.Batching;

/// <summary>
/// Compresses the chunks of one batch after another. One user: the writer of its partition. When compression fails, the batch goes on as raw
/// JSONL, begun with what the compressor had already taken in: the spool's backlog compresses it again from its segment, and one that was in memory
/// only ends in the quarantine instead of nowhere. <c>onDropped</c> hears of lines that
/// not even that can save; it is null where the lines are on disk as well. <c>openCompressor</c> gives null for a batch that is to be raw.
/// </summary>
internal sealed partial class BatchEncoder(Func<Stream, Stream?> openCompressor, ILogger logger, Action<long>? onDropped) : IDisposable
{
    private OpenBatch? _batch;
    private IncrementalHash? _hash;
    private PooledStream _content = new();
    private Stream? _compressor;
    private long _events;
    private long _bytes;

    /// <summary>The compressor of production: gzip at the given level, 1 to 9.</summary>
    internal static Func<Stream, Stream> Gzip(int level) =>
        content => new GZipStream(content, new ZLibCompressionOptions { CompressionLevel = level }, leaveOpen: true);

    /// <summary>Whether the batch has no line yet.</summary>
    internal bool IsEmpty => _batch is null;

    /// <summary>Adds whole lines to the batch; the first call after a seal begins it.</summary>
    internal void Append(OpenBatch batch, ReadOnlySpan<byte> lines, int events)
    {
        if (_batch is null)
        {
            Begin(batch);
        }

        try
        {
            (_compressor ?? (Stream)_content).Write(lines);
        }
        catch (Exception error) when (_compressor is not null)
        {
            LogCompressionFailed(logger, error, _batch!.Key);
            GoOnRaw();
            _content.Write(lines);
        }

        _hash!.AppendData(lines);
        _events += events;
        _bytes += lines.Length;
    }

    /// <summary>Ends the batch. The caller owns the result.</summary>
    internal SealedBatch Seal(FlushReason reason)
    {
        if (_compressor is not null)
        {
            try
            {
                _compressor.Dispose();
                _compressor = null;
                return Take(BatchForm.Gzip, reason);
            }
            catch (Exception error)
            {
                LogCompressionFailed(logger, error, _batch!.Key);
                GoOnRaw();
            }
        }

        return Take(BatchForm.Raw, reason);
    }

    public void Dispose()
    {
        _compressor = null;
        _content.Dispose();
        _hash?.Dispose();
    }

    private void Begin(OpenBatch batch)
    {
        _batch = batch;
        // Not before there is something to hash: it loads OpenSSL.
        _hash ??= IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        _events = 0;
        _bytes = 0;
        try
        {
            _compressor = openCompressor(_content);
        }
        catch (Exception error)
        {
            LogCompressionFailed(logger, error, batch.Key);
        }
    }

    private SealedBatch Take(BatchForm form, FlushReason reason)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        _hash!.GetHashAndReset(hash);
        var seal = new Seal(_events, _bytes, Convert.ToHexStringLower(hash), _events);
        var batch = new SealedBatch(_batch!.Key, _batch.Opened, seal, form, reason, _content) { Segment = _batch.Segment, Outcome = _batch.Outcome,
            Requests = _batch.Requests };
        _content = new PooledStream();
        _batch = null;
        return batch;
    }

    // Takes back what the broken compressor holds: flushes it, reads its output again, and keeps every whole line of what had been written before.
    private void GoOnRaw()
    {
        var raw = new PooledStream();
        long recoveredBytes = 0;
        long recoveredEvents = 0;
        try
        {
            _compressor!.Dispose();
        }
        catch (Exception error)
        {
            LogCompressionFailed(logger, error, _batch!.Key);
        }

        _compressor = null;
        try
        {
            using var lines = new GZipStream(_content.OpenRead(), CompressionMode.Decompress);
            var buffer = new byte[64 * 1024];
            for (int read; recoveredBytes < _bytes && (read = lines.Read(buffer)) > 0;)
            {
                Span<byte> part = buffer.AsSpan(0, (int)Math.Min(read, _bytes - recoveredBytes));
                raw.Write(part);
                recoveredBytes += part.Length;
                recoveredEvents += part.Count((byte)'\n');
            }
        }
        catch (InvalidDataException error)
        {
            LogCompressionFailed(logger, error, _batch!.Key);
        }

        if (recoveredBytes < _bytes)
        {
            // The tail of the compressor's window is gone. A half line would spoil the next one: end it.
            raw.Write("\n"u8);
            if (onDropped is not null)
            {
                LogLinesLost(logger, _events - recoveredEvents, _batch!.Key);
                onDropped(_events - recoveredEvents);
            }

            _events = recoveredEvents;
            HashAgain(raw);
        }

        _content.Dispose();
        _content = raw;
        _bytes = raw.Length;
    }

    // A seal is that of what the batch holds, or a repeated upload would not know its own object.
    private void HashAgain(PooledStream content)
    {
        _ = _hash!.GetHashAndReset();
        using Stream lines = content.OpenRead();
        var buffer = new byte[64 * 1024];
        for (int read; (read = lines.Read(buffer)) > 0;)
        {
            _hash.AppendData(buffer, 0, read);
        }
    }
}
