// The bytes of a production in the journal: one record for the messages of one HTTP request.
using System.Buffers.Binary;
using System.Text;
using Estat.Base.Journal;
using Estat.Topics.Log;
using Estat.Topics.Messages;

namespace Estat.Topics.Embedded;

/// <summary>
/// All numbers are little-endian. First what is stamped when the order is certain: kind (1 byte), time (8), runs (4), and for each run its
/// partition's ordinal (4), first offset (8) and count (4). Then the idempotency key: 0, or 1 with scope, key and hash. Then each message: its run
/// (4), key, headers (4, and name and value of each), value. Texts and bytes have their length before them (4); a length of -1 is null. A run is all
/// messages of one partition: their offsets follow each other in the order of the record.
/// </summary>
internal static class ProductionLayout
{
    private const byte Kind = 1;
    private const int TimeAt = 1;
    private const int RunsAt = 9;
    private const int FirstRunAt = 13;
    private const int RunBytes = 16;

    /// <summary>Bytes of a record.</summary>
    internal static int LengthOf(Production production, int runs)
    {
        long length = FirstRunAt + (runs * RunBytes) + 1;
        if (production.Idempotency is { } idempotency)
        {
            length += 12 + Encoding.UTF8.GetByteCount(idempotency.Scope) + Encoding.UTF8.GetByteCount(idempotency.Key) + idempotency.BodyHash.Length;
        }

        foreach (NewMessage message in production.Messages)
        {
            length += 16 + (message.Key?.Length ?? 0) + message.Value.Length;
            foreach (MessageHeader header in message.Headers)
            {
                length += 8 + Encoding.UTF8.GetByteCount(header.Name) + (header.Value?.Length ?? 0);
            }
        }

        return checked((int)length);
    }

    /// <summary>Writes a record that is not stamped yet.</summary>
    /// <param name="record">As long as <see cref="LengthOf"/> says.</param>
    /// <param name="production">What it holds.</param>
    /// <param name="ordinals">The partition of each run.</param>
    /// <param name="counts">Messages of each run.</param>
    /// <param name="runOf">The run of each message.</param>
    internal static void Write(Span<byte> record, Production production, int[] ordinals, int[] counts, int[] runOf)
    {
        record[0] = Kind;
        BinaryPrimitives.WriteInt64LittleEndian(record[TimeAt..], 0);
        BinaryPrimitives.WriteInt32LittleEndian(record[RunsAt..], ordinals.Length);
        Span<byte> rest = record[FirstRunAt..];
        for (int run = 0; run < ordinals.Length; run++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, ordinals[run]);
            BinaryPrimitives.WriteInt64LittleEndian(rest[4..], 0);
            BinaryPrimitives.WriteInt32LittleEndian(rest[12..], counts[run]);
            rest = rest[RunBytes..];
        }

        rest[0] = production.Idempotency is null ? (byte)0 : (byte)1;
        rest = rest[1..];
        if (production.Idempotency is { } idempotency)
        {
            Put(ref rest, idempotency.Scope);
            Put(ref rest, idempotency.Key);
            Put(ref rest, idempotency.BodyHash);
        }

        for (int index = 0; index < production.Messages.Count; index++)
        {
            NewMessage message = production.Messages[index];
            Put(ref rest, runOf[index]);
            Put(ref rest, message.Key);
            Put(ref rest, message.Headers.Count);
            foreach (MessageHeader header in message.Headers)
            {
                Put(ref rest, header.Name);
                Put(ref rest, header.Value);
            }

            Put(ref rest, message.Value);
        }
    }

    /// <summary>Writes time and first offsets into a record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="time">Milliseconds since 1970.</param>
    /// <param name="take">Given the ordinal of a run and its count, gives its first offset.</param>
    /// <param name="firsts">Gets the first offset of each run.</param>
    internal static void Stamp(Span<byte> record, long time, Func<int, int, long> take, long[] firsts)
    {
        BinaryPrimitives.WriteInt64LittleEndian(record[TimeAt..], time);
        int runs = BinaryPrimitives.ReadInt32LittleEndian(record[RunsAt..]);
        for (int run = 0; run < runs; run++)
        {
            Span<byte> at = record[(FirstRunAt + (run * RunBytes))..];
            long first = take(BinaryPrimitives.ReadInt32LittleEndian(at), BinaryPrimitives.ReadInt32LittleEndian(at[12..]));
            BinaryPrimitives.WriteInt64LittleEndian(at[4..], first);
            firsts[run] = first;
        }
    }

    /// <summary>What a record says before its messages.</summary>
    /// <param name="record">The record.</param>
    /// <param name="position">Where it is, for the error.</param>
    /// <exception cref="JournalDamagedException">It is no record of productions.</exception>
    internal static ProductionHead ReadHead(ReadOnlyMemory<byte> record, long position)
    {
        try
        {
            ReadOnlySpan<byte> bytes = record.Span;
            if (bytes[0] != Kind)
            {
                throw new JournalDamagedException(position, $"a record is of kind {bytes[0]}, which this version of Estat does not know");
            }

            int runs = BinaryPrimitives.ReadInt32LittleEndian(bytes[RunsAt..]);
            var list = new ProductionRun[runs];
            for (int run = 0; run < runs; run++)
            {
                ReadOnlySpan<byte> at = bytes[(FirstRunAt + (run * RunBytes))..];
                list[run] = new ProductionRun(
                    BinaryPrimitives.ReadInt32LittleEndian(at), BinaryPrimitives.ReadInt64LittleEndian(at[4..]),
                    BinaryPrimitives.ReadInt32LittleEndian(at[12..]));
            }

            int rest = FirstRunAt + (runs * RunBytes);
            Idempotency? idempotency = null;
            if (bytes[rest++] == 1)
            {
                string scope = Encoding.UTF8.GetString(Take(record, ref rest)!.Value.Span);
                string key = Encoding.UTF8.GetString(Take(record, ref rest)!.Value.Span);
                idempotency = new Idempotency(scope, key, Take(record, ref rest)!.Value.ToArray());
            }

            return new ProductionHead(BinaryPrimitives.ReadInt64LittleEndian(bytes[TimeAt..]), list, idempotency, rest);
        }
        catch (Exception error) when (error is ArgumentException or IndexOutOfRangeException or OverflowException or InvalidOperationException)
        {
            throw new JournalDamagedException(position, "the checksum of a block holds, and a record in it cannot be read");
        }
    }

    /// <summary>Reads headers.</summary>
    /// <param name="content">What <see cref="ProductionMessage.Headers"/> says.</param>
    internal static IReadOnlyList<MessageHeader> ReadHeaders(ReadOnlyMemory<byte> content)
    {
        int at = 0;
        var headers = new MessageHeader[TakeNumber(content, ref at)];
        for (int index = 0; index < headers.Length; index++)
        {
            string name = Encoding.UTF8.GetString(Take(content, ref at)!.Value.Span);
            headers[index] = new MessageHeader(name, Take(content, ref at));
        }

        return headers;
    }

    /// <summary>Reads a message.</summary>
    /// <param name="record">The record.</param>
    /// <param name="at">Where the message begins; afterwards where the next one does.</param>
    /// <param name="runs">Runs of the record.</param>
    /// <param name="position">Where the record is, for the error.</param>
    /// <exception cref="JournalDamagedException">There is no message.</exception>
    internal static ProductionMessage ReadMessage(ReadOnlyMemory<byte> record, ref int at, int runs, long position)
    {
        try
        {
            int run = TakeNumber(record, ref at);
            ReadOnlyMemory<byte>? key = Take(record, ref at);
            int headersAt = at;
            for (int headers = TakeNumber(record, ref at); headers > 0; headers--)
            {
                Take(record, ref at);
                Take(record, ref at);
            }

            ReadOnlyMemory<byte> headerBytes = record[headersAt..at];
            return run >= 0 && run < runs ? new ProductionMessage(run, key, headerBytes, Take(record, ref at))
                : throw new InvalidOperationException();
        }
        catch (Exception error) when (error is ArgumentException or IndexOutOfRangeException or InvalidOperationException)
        {
            throw new JournalDamagedException(position, "the checksum of a block holds, and a message in it cannot be read");
        }
    }

    private static void Put(ref Span<byte> rest, int number)
    {
        BinaryPrimitives.WriteInt32LittleEndian(rest, number);
        rest = rest[sizeof(int)..];
    }

    private static void Put(ref Span<byte> rest, string text)
    {
        int length = Encoding.UTF8.GetBytes(text, rest[sizeof(int)..]);
        BinaryPrimitives.WriteInt32LittleEndian(rest, length);
        rest = rest[(sizeof(int) + length)..];
    }

    private static void Put(ref Span<byte> rest, ReadOnlyMemory<byte>? bytes)
    {
        Put(ref rest, bytes?.Length ?? -1);
        if (bytes is { } some)
        {
            some.Span.CopyTo(rest);
            rest = rest[some.Length..];
        }
    }

    private static int TakeNumber(ReadOnlyMemory<byte> content, ref int at)
    {
        int number = BinaryPrimitives.ReadInt32LittleEndian(content.Span[at..]);
        at += sizeof(int);
        return number;
    }

    private static ReadOnlyMemory<byte>? Take(ReadOnlyMemory<byte> content, ref int at)
    {
        int length = TakeNumber(content, ref at);
        if (length < 0)
        {
            return null;
        }

        ReadOnlyMemory<byte> taken = content.Slice(at, length);
        at += length;
        return taken;
    }
}

/// <summary>All messages of one partition in a production.</summary>
/// <param name="Ordinal">The partition's.</param>
/// <param name="First">Offset of the first.</param>
/// <param name="Count">How many; 0 only marks where the partition was.</param>
internal readonly record struct ProductionRun(int Ordinal, long First, int Count);

/// <summary>What a record says before its messages.</summary>
/// <param name="Time">Milliseconds since 1970.</param>
/// <param name="Runs">Its partitions.</param>
/// <param name="Idempotency">What tells a repetition; null without.</param>
/// <param name="MessagesAt">Where its messages begin.</param>
internal readonly record struct ProductionHead(long Time, ProductionRun[] Runs, Idempotency? Idempotency, int MessagesAt);

/// <summary>A message in a record.</summary>
/// <param name="Run">Which of the runs it belongs to.</param>
/// <param name="Key">Its key.</param>
/// <param name="Headers">Its headers as they are in the record.</param>
/// <param name="Value">Its value.</param>
internal readonly record struct ProductionMessage(
    int Run, ReadOnlyMemory<byte>? Key, ReadOnlyMemory<byte> Headers, ReadOnlyMemory<byte>? Value);
