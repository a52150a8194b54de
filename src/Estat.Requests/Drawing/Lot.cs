// Who is drawn: a pure function of a seed, a beacon and the list. examples/draw-verify does the same in 20 lines.
using System.Security.Cryptography;
using System.Text;
using Estat.Requests.Campaigns;

namespace Estat.Requests.Drawing;

/// <summary>
/// Ids are 36 lower-case ASCII bytes, sorted, each ended by <c>\n</c>; the SHA-256 of that text is the cut. A request's ticket is
/// HMAC-SHA256(key = seed ‖ raw bytes of the beacon, message = its id). The lowest tickets win.
/// </summary>
internal static class Lot
{
    /// <summary>SHA-256 of bytes, as 64 lower-case hex digits.</summary>
    internal static string HashOf(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>The cut of a list that is sorted.</summary>
    internal static string CutOf(IReadOnlyList<RequestId> sorted)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> line = stackalloc byte[RequestId.TextLength + 1];
        foreach (RequestId id in sorted)
        {
            WriteLine(id, line);
            hash.AppendData(line);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Writes an id as the list has it: 36 bytes and a line feed.</summary>
    internal static void WriteLine(RequestId id, Span<byte> line)
    {
        id.Value.TryFormat(line, out _, "D");
        line[RequestId.TextLength] = (byte)'\n';
    }

    /// <summary>The winners, from the lowest ticket up.</summary>
    /// <param name="ids">The list.</param>
    /// <param name="winners">How many; all, if there are fewer.</param>
    /// <param name="seed">The campaign's seed.</param>
    /// <param name="beacon">The beacon's value as hex; null without.</param>
    internal static IReadOnlyList<RequestId> Draw(IReadOnlyList<RequestId> ids, long winners, ReadOnlySpan<byte> seed, string? beacon)
    {
        byte[] key = [.. seed, .. beacon is null ? [] : Convert.FromHexString(beacon)];
        var tickets = new (Ticket Ticket, RequestId Id)[ids.Count];
        Span<byte> line = stackalloc byte[RequestId.TextLength + 1];
        Span<byte> ticket = stackalloc byte[HMACSHA256.HashSizeInBytes];
        for (int i = 0; i < tickets.Length; i++)
        {
            WriteLine(ids[i], line);
            HMACSHA256.HashData(key, line[..RequestId.TextLength], ticket);
            tickets[i] = (Ticket.Of(ticket), ids[i]);
        }

        Array.Sort(tickets, static (one, other) => one.Ticket.CompareTo(other.Ticket));
        return [.. tickets.Take((int)Math.Min(winners, tickets.Length)).Select(drawn => drawn.Id)];
    }

    /// <summary>A request's ticket, 64 lower-case hex digits.</summary>
    internal static string TicketOf(RequestId id, ReadOnlySpan<byte> seed, string? beacon)
    {
        byte[] key = [.. seed, .. beacon is null ? [] : Convert.FromHexString(beacon)];
        Span<byte> line = stackalloc byte[RequestId.TextLength + 1];
        WriteLine(id, line);
        return Convert.ToHexStringLower(HMACSHA256.HashData(key, line[..RequestId.TextLength]));
    }

    /// <summary>Whether a request that took part won: its ticket is not above the last that did.</summary>
    internal static bool Wins(RequestId id, DrawResult draw, ReadOnlySpan<byte> seed) =>
        draw.LastTicket.Length > 0 && string.CompareOrdinal(TicketOf(id, seed, draw.Beacon), draw.LastTicket) <= 0;

    /// <summary>Whether a text can be a beacon's value: hex digits of whole bytes, 16 to 128 of them.</summary>
    internal static bool IsBeacon(string text) =>
        text.Length is >= 32 and <= 256 && text.Length % 2 == 0 && Encoding.ASCII.GetBytes(text).All(digit => char.IsAsciiHexDigitLower((char)digit));

    // 32 bytes as four numbers: an array of its own for each of a million would cost more than the sorting.
    private readonly record struct Ticket(ulong First, ulong Second, ulong Third, ulong Fourth) : IComparable<Ticket>
    {
        internal static Ticket Of(ReadOnlySpan<byte> bytes) => new(Part(bytes, 0), Part(bytes, 8), Part(bytes, 16), Part(bytes, 24));

        public int CompareTo(Ticket other) => (First, Second, Third, Fourth).CompareTo((other.First, other.Second, other.Third, other.Fourth));

        private static ulong Part(ReadOnlySpan<byte> bytes, int at) => System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(bytes[at..]);
    }
}
