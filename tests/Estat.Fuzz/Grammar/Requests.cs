// Whole requests: the families from which cases are put together.
using System.Text;

namespace Estat.Fuzz.Grammar;

/// <summary>Makes requests whose meaning is known.</summary>
internal static class Requests
{
    private const string Close = "Connection: close\r\n";

    /// <summary>What nobody calls HTTP; no answer is foretold.</summary>
    internal static byte[] Noise(Dice dice) => dice.Below(8) switch
    {
        0 => dice.Bytes(dice.Size(4000)),
        1 => [.. "POST /collect HTTP/1.1\r\n"u8, .. dice.Bytes(dice.Size(3000)), .. "\r\n\r\n"u8],
        2 => [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0],
        3 => [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, .. dice.Bytes(200)],
        4 => EventBodies.Filled(dice.Of<byte>(0, (byte)'\r', (byte)'\n', (byte)' ', (byte)'A'), dice.Size(40_000)),
        5 => Encoding.Latin1.GetBytes(
            dice.Of("QUIT\r\n\r\n", "GET /\r\n\r\n", "\r\n\r\n\r\n", "GET", "POST /collect HTTP/1.1", "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n")),
        6 => [.. Encoding.Latin1.GetBytes("GET /collect?" + new string('q', dice.Between(17_000, 60_000)) + " HTTP/1.1\r\nHost: e\r\n\r\n")],
        _ => [.. Encoding.Latin1.GetBytes(
            $"GET /collect?x HTTP/{dice.Of("1.2", "2.0", "0.9", "1.1.1", "11", "x", "1.", "99999999999.1")}\r\nHost: e\r\n\r\n")],
    };

    /// <summary>POST /collect, sound or refused for one reason.</summary>
    internal static PlannedRequest Collect(Dice dice, bool isLast)
    {
        if (dice.OneIn(20))
        {
            return Post(dice, "/collect", Headers.None, Framing.Sound(dice, []), null, Expectation.Only(400), isLast);
        }

        if (dice.OneIn(20))
        {
            byte[] large = EventBodies.Filled((byte)'L', EventBodies.Largest + dice.Size(dice.OneIn(10) ? 2_000_000 : 50_000));
            return Post(dice, "/collect", Heads.Ordinary(dice), Framing.Sound(dice, large), null, Expectation.Only(413), isLast);
        }

        byte[] body = EventBodies.Any(dice);
        return Post(dice, "/collect", Heads.Ordinary(dice), Framing.Sound(dice, body), null, Expectation.Stores(body), isLast);
    }

    /// <summary>GET of a pixel.</summary>
    internal static PlannedRequest Pixel(Dice dice, bool isLast)
    {
        (string query, Expectation expects) = Heads.Query(dice);
        Headers headers = dice.OneIn(4) ? Heads.Game(dice) : Heads.Ordinary(dice);
        return Of("GET", $"{dice.Of("/collect", "/collect.gif")}?{query}", headers, new FramedBody("", [], []), expects, isLast);
    }

    /// <summary>POST /collect/batch without coding.</summary>
    internal static PlannedRequest PlainBatch(Dice dice, bool isLast)
    {
        Batch batch = Batches.Any(dice);
        return Post(dice, "/collect/batch", Heads.Ordinary(dice), Framing.Sound(dice, batch.Bytes), TypeLine(batch.MediaType), batch.Expects, isLast);
    }

    /// <summary>Either POST with a Content-Encoding, sound or not.</summary>
    internal static PlannedRequest Coded(Dice dice, bool isLast)
    {
        bool isBatch = dice.OneIn(2);
        byte[] content;
        string? type = null;
        Expectation expects;
        if (isBatch)
        {
            (content, type, expects) = dice.OneIn(4) ? Batches.Array(dice) : Batches.Lines(dice);
        }
        else
        {
            content = EventBodies.Any(dice);
            expects = Expectation.Stores(content);
        }

        CodedBody coded = Codings.Coded(dice, content);
        if (!coded.IsCertain)
        {
            expects = Expectation.Perhaps(200, 202, 400, 413, 415);
        }
        else if (coded.Refusals.Length > 0)
        {
            expects = Expectation.Only(coded.Refusals);
        }

        if (coded.Bytes.Length > (isBatch ? Batches.Largest : EventBodies.Largest))
        {
            // Compressed it may be larger than what it holds, and its length may be looked at before its coding.
            expects = expects.Or(413);
        }

        string encoding = coded.Name is null ? "" : $"Content-Encoding: {coded.Name}\r\n";
        return Post(dice, isBatch ? "/collect/batch"
            : "/collect", Heads.Ordinary(dice), Framing.Sound(dice, coded.Bytes), encoding + TypeLine(type), expects, isLast);
    }

    /// <summary>A sound event under headers that are not.</summary>
    internal static PlannedRequest HeaderGame(Dice dice, bool isLast)
    {
        byte[] body = EventBodies.Any(dice);
        return Post(dice, "/collect", Heads.Game(dice), Framing.Sound(dice, body), null, Expectation.Stores(body), isLast);
    }

    /// <summary>A sound event whose end is said wrongly.</summary>
    internal static PlannedRequest BrokenFraming(Dice dice, bool isLast)
    {
        byte[] body = EventBodies.Any(dice);
        return Post(dice, dice.Of("/collect", "/collect/batch"), Headers.None, Framing.Broken(dice, body), null, Expectation.Perhaps(200, 202),
            isLast);
    }

    /// <summary>Methods and targets that are odd, and those for operators.</summary>
    internal static PlannedRequest Oddity(Dice dice, bool isLast)
    {
        byte[] body = dice.OneIn(3) ? "x"u8.ToArray() : [];
        FramedBody framed = body.Length == 0 ? new FramedBody("", [], []) : Framing.Sound(dice, body);
        (string method, string target, Expectation expects) = dice.Below(16) switch
        {
            0 => (dice.Of("PUT", "DELETE", "PATCH", "BREW", "post", "Get", "head", "Options", "TRACE", "M-SEARCH", new string('M', 100),
                "!#$%&'*+-.^_`|~"), dice.Of("/collect", "/collect/batch", "/collect.gif"), Expectation.Only(405)),
            1 => (dice.Of("G(T", "G\0T", "\xff", "G\tT", "", "G/T"), "/collect", Expectation.Only(400)),
            2 => ("OPTIONS", dice.Of("/collect", "/collect/batch", "/collect.gif"), Expectation.Only(204)),
            3 => ("OPTIONS", "*", Expectation.Only(404)),
            4 => (dice.Of("GET", "POST"), "*", Expectation.Only(400, 405)),
            5 => ("GET", "http://estat.test/health", Expectation.Only(200)),
            6 => ("GET", dice.Of("http://other.test/health", "ftp://x/", "http://", "http:/x", "estat.test:80", "://", "http://[::1",
                "http://estat.test:99999/health"), Expectation.Only(400, 404, 405)),
            7 => ("CONNECT", dice.Of("estat.test:80", "/collect", "*", "estat.test"), Expectation.Only(400, 404, 405)),
            8 => ("GET", dice.Of("/", "/collects", "/collect/", "/Collect", "//collect", "/collect/../../etc/passwd", "/%63ollect%2fx",
                "/collect/batch/", "/health/", "/favicon.ico"), Expectation.Only(404)),
            9 => ("GET", dice.Of("/collect%00?x", "/%", "/%zz", "/%c0%ae", "/%ff%fe?x", "/%u0041", "/a\\b", "/\xff", "/\x01", "collect", "?x", "#x"),
                Expectation.Only(400, 404, 405)),
            10 => ("GET", dice.Of("/health", "/health/ready", "/health/sink", "/health?x"), Expectation.Only(200)),
            11 => ("GET", "/metrics", Expectation.Only(200)),
            12 => (dice.Of("POST", "head", "get"), dice.Of("/health", "/metrics", "/health/ready", "/collect.gif"), Expectation.Only(405)),
            13 => ("HEAD", dice.Of("/health", "/metrics", "/health/ready", "/health/sink"), Expectation.Only(200)),
            14 => ("HEAD", dice.Of("/collect", "/collect/batch", "/collect.gif"), Expectation.Only(405)),
            _ => ("HEAD", "/nowhere", Expectation.Only(404)),
        };
        return Of(method, target, Heads.Ordinary(dice), framed, expects, isLast);
    }

    /// <summary>A client of HTTP/1.0: the answer ends the connection.</summary>
    internal static PlannedRequest Old(Dice dice)
    {
        byte[] body = EventBodies.Any(dice);
        FramedBody framed = Framing.Length(body);
        byte[] head = Encoding.Latin1.GetBytes($"POST /collect HTTP/1.0\r\n{framed.Headers}\r\n");
        return new PlannedRequest([.. head, .. framed.Bytes], Expectation.Stores(body));
    }

    private static string TypeLine(string? mediaType) => mediaType is null ? "" : $"Content-Type: {mediaType}\r\n";

    private static PlannedRequest Post(Dice dice, string target, Headers headers, FramedBody framed, string? more, Expectation expects, bool isLast)
    {
        string query = dice.OneIn(10) ? dice.Of("?", "?q", "?a=%00") : "";
        return Of("POST", target + query, headers with { Lines = headers.Lines + more }, framed, expects, isLast);
    }

    private static PlannedRequest Of(string method, string target, Headers headers, FramedBody framed, Expectation expects, bool isLast)
    {
        byte[] head = Encoding.Latin1.GetBytes(
            $"{method} {target} HTTP/1.1\r\nHost: estat.test\r\n{(isLast ? Close : "")}{headers.Lines}{framed.Headers}\r\n");
        if (!headers.IsCertain || !framed.IsCertain)
        {
            expects = Expectation.Anything;
        }
        else if (headers.Refusals.Length > 0 || framed.Refusals.Length > 0)
        {
            // Which of several faults is found first is the server's affair.
            bool mayPass = expects.Statuses.Any(status => status >= 400);
            expects = Expectation.Only([.. headers.Refusals, .. framed.Refusals, .. mayPass ? expects.Statuses : []]);
        }

        return new PlannedRequest([.. head, .. framed.Bytes], expects, method == "HEAD");
    }
}
