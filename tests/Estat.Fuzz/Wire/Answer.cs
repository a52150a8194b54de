// Answers read out of raw bytes, by the letter of RFC 9112.
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Estat.Fuzz.Wire;

/// <summary>One answer. Header names are lower case.</summary>
internal sealed record Answer(int Status, ILookup<string, string> Headers, byte[] Body)
{
    internal string? Header(string name) => Headers[name].SingleOrDefault();

    internal bool Closes => Header("connection") == "close";

    /// <summary>The ack level that was reached; null: this acknowledges nothing.</summary>
    internal string? Ack => Status is 200 or 202 ? Header("x-estat-ack") : null;
}

/// <summary>Splits a connection's bytes into answers.</summary>
internal static partial class AnswerReader
{
    /// <summary>What Kestrel says to a client that begins with HTTP/2's preface: a GOAWAY with HTTP_1_1_REQUIRED, which such a client
    /// understands.</summary>
    private static ReadOnlySpan<byte> GoAway => [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13];

    /// <summary>Reads all answers; interim ones are checked and left out.</summary>
    /// <param name="received">All that came.</param>
    /// <param name="isHead">Whether the answer with this index is one to HEAD.</param>
    /// <param name="mayBeCut">Whether the last one may be incomplete; it is then left out.</param>
    /// <param name="fault">What is not HTTP; null: nothing.</param>
    internal static List<Answer> ReadAll(byte[] received, Func<int, bool> isHead, bool mayBeCut, out string? fault)
    {
        var answers = new List<Answer>();
        ReadOnlySpan<byte> rest = received;
        fault = null;
        try
        {
            while (!rest.IsEmpty && !rest.SequenceEqual(GoAway))
            {
                if (answers is [.., { Closes: true }])
                {
                    throw new FormatException("bytes behind an answer that closes the connection");
                }

                int before = rest.Length;
                Answer answer = Read(ref rest, isHead(answers.Count));
                if (answer.Status >= 200)
                {
                    answers.Add(answer);
                }
            }
        }
        catch (EndOfStreamException)
        {
            fault = mayBeCut ? null : $"the last answer is cut off: {Encoding.Latin1.GetString(rest[..Math.Min(200, rest.Length)])}";
        }
        catch (FormatException error)
        {
            fault = $"answer {answers.Count} is no HTTP: {error.Message}";
        }

        return answers;
    }

    private static Answer Read(ref ReadOnlySpan<byte> rest, bool isHead)
    {
        int headEnd = rest.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0)
        {
            throw rest.Length > 64 * 1024 || !"HTTP/1.1 "u8.StartsWith(rest[..Math.Min(9, rest.Length)])
                ? new FormatException($"no head: {Encoding.Latin1.GetString(rest[..Math.Min(200, rest.Length)])}")
                : new EndOfStreamException();
        }

        string[] lines = Encoding.Latin1.GetString(rest[..headEnd]).Split("\r\n");
        Match statusLine = StatusLine().Match(lines[0]);
        Check(statusLine.Success, $"status line {lines[0]}");
        int status = int.Parse(statusLine.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        Match[] fields = [.. lines[1..].Select(line => Field().Match(line))];
        Check(fields.All(field => field.Success), $"a header line of {string.Join(" | ", lines)}");
        ILookup<string, string> headers = fields.ToLookup(field => field.Groups[1].Value.ToLowerInvariant(), field => field.Groups[2].Value);
        foreach (string once in (string[])["content-length", "transfer-encoding", "connection", "content-type", "x-estat-ack", "x-estat-key",
            "retry-after", "date"])
        {
            Check(headers[once].Count() <= 1, $"{once} twice");
        }

        rest = rest[(headEnd + 4)..];
        string? length = headers["content-length"].SingleOrDefault();
        bool isChunked = headers["transfer-encoding"].Any();
        if (status is 204 or < 200)
        {
            Check(length is null && !isChunked, $"{status} with a body");
            return new Answer(status, headers, []);
        }

        Check(length is null || !isChunked, "a length and chunks");
        if (isHead)
        {
            return new Answer(status, headers, []);
        }

        byte[] body;
        if (isChunked)
        {
            Check(headers["transfer-encoding"].Single() == "chunked", "a transfer coding");
            body = ReadChunks(ref rest);
        }
        else if (length is not null)
        {
            Check(int.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out int count), $"length {length}");
            body = Take(ref rest, count);
        }
        else
        {
            Check(headers["connection"].SingleOrDefault() == "close", "neither length nor chunks nor close");
            body = Take(ref rest, rest.Length);
        }

        return new Answer(status, headers, body);
    }

    private static byte[] ReadChunks(ref ReadOnlySpan<byte> rest)
    {
        var body = new List<byte>();
        while (true)
        {
            int lineEnd = rest.IndexOf("\r\n"u8);
            if (lineEnd < 0)
            {
                throw new EndOfStreamException();
            }

            string line = Encoding.Latin1.GetString(rest[..lineEnd]);
            Check(int.TryParse(line, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int size), $"chunk size {line}");
            rest = rest[(lineEnd + 2)..];
            body.AddRange(Take(ref rest, size));
            Check(Take(ref rest, 2).AsSpan().SequenceEqual("\r\n"u8), "a chunk's end");
            if (size == 0)
            {
                return [.. body];
            }
        }
    }

    private static byte[] Take(ref ReadOnlySpan<byte> rest, int count)
    {
        if (rest.Length < count)
        {
            throw new EndOfStreamException();
        }

        byte[] taken = rest[..count].ToArray();
        rest = rest[count..];
        return taken;
    }

    private static void Check(bool holds, string what)
    {
        if (!holds)
        {
            throw new FormatException(what);
        }
    }

    [GeneratedRegex("^HTTP/1\\.1 ([1-5][0-9][0-9]) [ -~]*$")]
    private static partial Regex StatusLine();

    [GeneratedRegex("^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([\\t -~\\x80-\\xff]*)$")]
    private static partial Regex Field();
}
