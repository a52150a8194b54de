// The proof of a draw. It does not use the code that drew: what is wrong there must be seen here.
using System.Security.Cryptography;
using System.Text;
using Estat.Cli.Frame;

namespace Estat.Cli.Drawing;

/// <summary>One thing that was checked.</summary>
/// <param name="Name">What.</param>
/// <param name="Holds">Whether it holds.</param>
/// <param name="Words">What was found.</param>
internal sealed record DrawCheck(string Name, bool Holds, string Words);

/// <summary>
/// The list has an id of 36 lower-case bytes and a line feed for each request, sorted. A request's ticket is HMAC-SHA256(key = seed ‖ raw bytes of
/// the beacon, message = id); the lowest tickets win.
/// </summary>
internal sealed class DrawProof
{
    private const int IdLength = 36;
    private const int LineLength = IdLength + 1;

    private readonly List<DrawCheck> _checks = [];
    private readonly string[] _ranking = [];

    /// <param name="page">The proof as it is published.</param>
    /// <param name="list">The list, byte for byte.</param>
    internal DrawProof(DrawPage page, byte[] list)
    {
        byte[]? seed = BytesOf(page.Seed);
        string seedHash = HashOf(seed ?? []);
        Add("seed", seed is { Length: 32 } && seedHash == page.SeedHash, $"its SHA-256 is {seedHash}", $", but {page.SeedHash} was published");
        string? wrong = WhyNotList(list);
        Add("list", wrong is null && list.Length / LineLength == page.Requests,
            wrong ?? $"{Words.Count(list.Length / LineLength, "id")}, sorted", wrong is null ? $", but the proof says {page.Requests}" : "");
        string cut = HashOf(list);
        Add("cut", cut == page.Cut, $"the list's SHA-256 is {cut}", $", but the proof says {page.Cut}");
        byte[]? beacon = page.Beacon is null ? [] : BytesOf(page.Beacon.Value);
        if (beacon is null)
        {
            Add("beacon", false, "its value is not there, or is no hex", "");
        }

        if (wrong is null && seed is not null && beacon is not null)
        {
            _ranking = Rank([.. seed, .. beacon], list);
            Winners = _ranking[..(int)Math.Clamp(page.Winners, 0, _ranking.Length)];
        }
    }

    /// <summary>What was checked, in order.</summary>
    internal IReadOnlyList<DrawCheck> Checks => _checks;

    /// <summary>Whether all of it holds.</summary>
    internal bool Holds => _checks.TrueForAll(check => check.Holds);

    /// <summary>The winners, from the lowest ticket up.</summary>
    internal IReadOnlyList<string> Winners { get; } = [];

    /// <summary>Ids in the list.</summary>
    internal int Count => _ranking.Length;

    /// <summary>The place of an id by its ticket, from 1; 0 when it is not in the list.</summary>
    internal int RankOf(string id) => Array.IndexOf(_ranking, id) + 1;

    /// <summary>Adds what was checked elsewhere.</summary>
    internal void Add(string name, bool holds, string words, string otherwise) =>
        _checks.Add(new DrawCheck(name, holds, holds ? words : words + otherwise));

    private static string[] Rank(byte[] key, byte[] list)
    {
        var tickets = new byte[list.Length / LineLength][];
        var ids = new string[tickets.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            ReadOnlySpan<byte> id = list.AsSpan(i * LineLength, IdLength);
            tickets[i] = HMACSHA256.HashData(key, id);
            ids[i] = Encoding.ASCII.GetString(id);
        }

        Array.Sort(tickets, ids, Comparer<byte[]>.Create(static (one, other) => one.AsSpan().SequenceCompareTo(other)));
        return ids;
    }

    private static string? WhyNotList(byte[] list)
    {
        if (list.Length % LineLength != 0)
        {
            return $"its length, {list.Length} bytes, is not that of lines of {LineLength}";
        }

        for (int at = 0; at < list.Length; at += LineLength)
        {
            ReadOnlySpan<byte> line = list.AsSpan(at, LineLength);
            if (line[IdLength] != '\n' || !IsId(line[..IdLength]))
            {
                return $"line {(at / LineLength) + 1} is not an id of {IdLength} lower-case bytes and a line feed";
            }

            // Twice the same would be two chances.
            if (at > 0 && list.AsSpan(at - LineLength, LineLength).SequenceCompareTo(line) >= 0)
            {
                return $"line {(at / LineLength) + 1} does not come after the line before it";
            }
        }

        return null;
    }

    private static bool IsId(ReadOnlySpan<byte> text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (i is 8 or 13 or 18 or 23 ? text[i] != '-' : !char.IsAsciiHexDigitLower((char)text[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static byte[]? BytesOf(string? hex)
    {
        try
        {
            return hex is null ? null : Convert.FromHexString(hex);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static string HashOf(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
