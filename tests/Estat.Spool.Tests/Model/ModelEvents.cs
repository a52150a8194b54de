// The events of a run: numbered, each with a line that follows from its number, and what its sender was told.
using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Estat.Collect.Events;

namespace Estat.Spool.Tests.Model;

/// <summary>What a sender knows of an event.</summary>
internal enum Told
{
    /// <summary>Nothing, or that the disk failed: it may be stored, once.</summary>
    Nothing,

    /// <summary>Taken: it is stored, once.</summary>
    Accepted,

    /// <summary>Not taken for lack of room or as the node drains: it is not stored.</summary>
    Refused,
}

/// <summary>Safe for concurrent use by different numbers.</summary>
internal sealed class ModelEvents
{
    internal const int Most = 4096;

    private const long Second = 1_767_323_045;
    private static readonly byte[] Marker = "\"body\":\"event-"u8.ToArray();
    private readonly Told[] _told = new Told[Most];
    private int _next;

    /// <summary>Numbers given out; from 0.</summary>
    internal int Count => Math.Min(Volatile.Read(ref _next), Most);

    internal static EventHeader Header() => new() { UnixSeconds = Second, Ip = "192.0.2.1"u8, UserAgent = "model" };

    /// <summary>Takes as many numbers as are left of those asked for.</summary>
    internal Range Take(int events)
    {
        int end = Interlocked.Add(ref _next, events);
        return Math.Min(end - events, Most)..Math.Min(end, Most);
    }

    internal void Tell(Range events, Told told) => _told.AsSpan(events).Fill(told);

    internal Told ToldOf(int number) => _told[number];

    /// <summary>The body of an event: some are long, so that records lie in several sectors.</summary>
    internal static byte[] BodyOf(int number)
    {
        int length = number % 29 == 7 ? 1500 : number % 5 == 3 ? 300 : number % 41;
        return Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"event-{number}-{new string((char)('a' + (number % 26)), length)}"));
    }

    /// <summary>The line of an event, newline included.</summary>
    internal static byte[] LineOf(int number)
    {
        byte[] body = BodyOf(number);
        EventHeader header = Header();
        var line = new byte[LineEncoder.MaxLength(header, body.Length)];
        return line[..LineEncoder.Encode(header, body, line)];
    }

    /// <summary>The number of an intact line; −1 for any other bytes.</summary>
    internal int NumberOf(ReadOnlySpan<byte> line)
    {
        int at = line.IndexOf(Marker);
        return at >= 0 && Utf8Parser.TryParse(line[(at + Marker.Length)..], out int number, out _) && number >= 0 && number < Count
            && line.SequenceEqual(LineOf(number))
            ? number
            : -1;
    }
}
