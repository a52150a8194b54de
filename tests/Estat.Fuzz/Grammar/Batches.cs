// Bodies of /collect/batch: JSON arrays and lines, sound and broken.
using System.Text;

namespace Estat.Fuzz.Grammar;

/// <summary>A batch's body, what its media type says, and what has to come of it.</summary>
internal sealed record Batch(byte[] Bytes, string? MediaType, Expectation Expects);

/// <summary>Makes batches.</summary>
internal static class Batches
{
    private const int DeepestNesting = 512; // of the array as well
    internal const int Largest = 8_388_608; // MAX_BATCH_BODY_SIZE's default
    private const int ManyEvents = 1000;
    private static readonly string[] Whitespace = ["", "", "", " ", "\n", "\r\n\t", "  "];

    internal static Batch Any(Dice dice) => dice.Below(5) switch
    {
        0 => BrokenArray(dice),
        1 or 2 => Array(dice),
        _ => Lines(dice),
    };

    /// <summary>A JSON array, or one value that is called JSON: each element is stored as it is written.</summary>
    internal static Batch Array(Dice dice)
    {
        int count = dice.OneIn(8) ? 0 : dice.Size(dice.OneIn(30) ? 5000 : 60);
        var events = new List<byte[]>();
        var body = new List<byte>();
        body.AddRange(dice.OneIn(6) ? [0xEF, 0xBB, 0xBF] : []);
        Space(dice, body);
        body.Add((byte)'[');
        Space(dice, body);
        for (int i = 0; i < count; i++)
        {
            if (i > 0)
            {
                body.Add((byte)',');
            }

            byte[] element = Element(dice);
            events.Add(element);
            Space(dice, body);
            body.AddRange(element);
            Space(dice, body);
        }

        body.Add((byte)']');
        Space(dice, body);
        string? type = dice.Of(null, "application/json", "Application/JSON; charset=utf-8", "text/plain", "", ";", "application/octet-stream");
        return new Batch([.. body], type, Taken(events, body.Count));
    }

    /// <summary>What is no JSON array, but begins as one or is called one: none of it is stored.</summary>
    internal static Batch BrokenArray(Dice dice)
    {
        string good = EventBodies.Json(dice, 2);
        string body = dice.Below(10) switch
        {
            0 => $"[{good},{good}",
            1 => $"[{good},]",
            2 => $"[{good} {good}]",
            3 => $"[,{good}]",
            4 => $"[{good}]]",
            5 => $"[{good}]{dice.Of("[", "x", "{}", "\0", ",", "\uFEFF", "//")}",
            6 => $"[{dice.Of("undefined", "NaN", "01", "1.", ".5", "+1", "'a'", "{a:1}", "\"\\x\"", "\"\n\"", "\"\0\"", "/**/1", "1//", "\"", "{\"a\"}", "{1:1}", "\\u0031", "tru", "-", "1e", "\"\\u12\"")}]",
            7 => "[" + EventBodies.Deep(dice.Of(DeepestNesting, DeepestNesting + 1, 100_000), dice.OneIn(2)) + "]",
            8 => new string('[', dice.Size(100_000)),
            _ => $"[{good}]\uFEFF[{good}]",
        };
        return new Batch(Encoding.UTF8.GetBytes(body), dice.Of(null, "application/json", "text/plain"), Expectation.Only(400));
    }

    /// <summary>Lines of anything: LF or CRLF, blank ones between, the last with or without its end.</summary>
    internal static Batch Lines(Dice dice)
    {
        int count = dice.OneIn(10) ? 0 : dice.Size(dice.OneIn(30) ? 20_000 : 100);
        var events = new List<byte[]>();
        var body = new List<byte>();
        body.AddRange(dice.OneIn(6) ? [0xEF, 0xBB, 0xBF] : []);
        for (int i = 0; i < count; i++)
        {
            byte[] line = Line(dice, isFirst: i == 0);
            events.Add(line);
            body.AddRange(line);
            if (i + 1 < count || !dice.OneIn(3))
            {
                body.AddRange(dice.Of<byte[]>([(byte)'\n'], "\r\n"u8.ToArray(), "\n\n"u8.ToArray(), "\n \t\r\n"u8.ToArray()));
            }
        }

        string? type = dice.Of(
            "application/x-ndjson", "Application/NDJSON;charset=utf-8", "application/jsonl", "application/json-lines", " application/jsonlines ");
        return count == 0
            ? new Batch(Encoding.Latin1.GetBytes(dice.Of("", "\n", "\r\n \t\n", "\r", " ", "\xEF\xBB\xBF", "\xEF\xBB\xBF\n")), type,
                Expectation.Only(400))
            : new Batch([.. body], type, Taken(events, body.Count));
    }

    private static Expectation Taken(List<byte[]> events, int bytes)
    {
        if (bytes > Largest)
        {
            return Expectation.Only(413);
        }

        byte[][] taken = [.. events.Where(body => body.Length <= EventBodies.Largest)];
        var expects = new Expectation([200, 202], taken, events.Count - taken.Length);
        // Each line carries the request's cookie and key again: very many may need more than INFLIGHT_BYTES.
        return events.Count > ManyEvents ? expects.Or(413) : expects;
    }

    private static byte[] Element(Dice dice) => dice.Below(20) switch
    {
        0 => Encoding.UTF8.GetBytes(EventBodies.Deep(dice.Size(DeepestNesting - 1), dice.OneIn(2))),
        1 => [(byte)'"', .. WithoutEscapes(EventBodies.InvalidUtf8(dice)), (byte)'"'],
        2 => [(byte)'"', .. EventBodies.Filled((byte)'x', EventBodies.Largest - 4 + dice.Below(6)), (byte)'"'],
        _ => Encoding.UTF8.GetBytes(EventBodies.Json(dice, 3)),
    };

    // A line is any bytes but a line feed; a CR at its end would be its line's, and blank ones are no events.
    private static byte[] Line(Dice dice, bool isFirst)
    {
        byte[] line = dice.Below(12) switch
        {
            0 => dice.Bytes(dice.Size(300)),
            1 => EventBodies.InvalidUtf8(dice),
            2 when dice.OneIn(4) => EventBodies.Filled(dice.Of<byte>(0, (byte)'x', 1), EventBodies.Largest - 2 + dice.Below(5)),
            3 => [0, 0, 0],
            4 => "a\rb"u8.ToArray(),
            _ => Encoding.UTF8.GetBytes(EventBodies.Json(dice, 2)),
        };
        line = [.. line.Where(value => value is not (byte)'\n')];
        bool isBlank = line.AsSpan().IndexOfAnyExcept(" \t\r"u8) < 0;
        // What a body may not begin with: a mark that is the body's and not the line's, or what may look like gzip or UTF-16.
        bool isTaken = isFirst && (line.AsSpan().StartsWith("\uFEFF"u8) || line is [0x1F, 0x8B, ..] or [0xFE or 0xFF, ..]
            || line.AsSpan(0, Math.Min(line.Length, 4)).Contains((byte)0));
        return isTaken ? "taken"u8.ToArray() : isBlank || line[^1] == (byte)'\r' ? [.. line, (byte)'.'] : line;
    }

    private static byte[] WithoutEscapes(byte[] text) => [.. text.Where(value => value is >= (byte)' ' and not ((byte)'"' or (byte)'\\'))];

    private static void Space(Dice dice, List<byte> body) => body.AddRange(Encoding.ASCII.GetBytes(dice.Of(Whitespace)));
}
