// A body is stored as the string that it was: escaping and parsing again gives it back.
using System.Text;
using System.Text.Json;
using Estat.Collect.Events;

namespace Estat.Collect.Tests.Events;

public sealed class JsonEscaperTests
{
    private const byte Canary = 0xA5;
    private const int CanaryBytes = 64;

    // What it is, and its bytes.
    private static readonly (string What, string Hex)[] Invalid =
    [
        ("a lone continuation byte", "80"),
        ("continuation bytes in a row", "80BF80BF"),
        ("a lead without continuation at the end", "61C3"),
        ("a lead without continuation before text", "C328"),
        ("an overlong slash in two bytes", "C0AF"),
        ("an overlong slash in three bytes", "E080AF"),
        ("an overlong slash in four bytes", "F08080AF"),
        ("an overlong NUL", "C080"),
        ("a high surrogate", "EDA080"),
        ("a surrogate pair, each half encoded", "EDA081EDB080"),
        ("past U+10FFFF", "F4908080"),
        ("five bytes", "F888808080"),
        ("bytes that are never UTF-8", "FEFF"),
        ("three of four bytes, cut", "F09F98"),
        ("three of four bytes, then a quote", "F09F9822"),
        ("two of three bytes, then a backslash", "ED955C"),
        ("a lead after a lead", "E2E282AC"),
        ("Latin-1", "63616669E9"),
        ("UTF-16", "FFFE610062000A00"),
        ("gzip", "1F8B0800000000000003"),
        ("valid, broken, valid", "ED959CFFEAB5AD"),
    ];

    [Theory]
    [InlineData("nothing", "")]
    [InlineData("an empty object", "{}")]
    [InlineData("quotes", "{\"a\":\"b\"}")]
    [InlineData("backslashes", "C:\\new\\table\\")]
    [InlineData("a body that is escaped JSON already", "{\\\"a\\\":\\\"\\\\u0041\\\"}")]
    [InlineData("line ends", "a\nb\r\nc\r")]
    [InlineData("NUL", "a\0b")]
    [InlineData("DEL, which JSON does not escape", "a\u007fb")]
    [InlineData("Korean", "한국어 무료배송 특가")]
    [InlineData("emoji of several code points", "👩‍👩‍👧‍👦🇰🇷🏳️‍🌈")]
    [InlineData("line and paragraph separators", "a\u2028b\u2029c")]
    [InlineData("a byte order mark", "\uFEFFa")]
    [InlineData("noncharacters", "\uFFFE\uFFFF\U0010FFFF")]
    [InlineData("a URL's query", "url=https://shop.example/?q=%EC%95%88&x=<b>'1'</b>+2")]
    public void Text_comes_back_as_it_was(string what, string text) => Assert.True(Parse(Encoding.UTF8.GetBytes(text)) == text, what);

    [Fact]
    public void Every_control_character_comes_back_as_it_was()
    {
        foreach (char control in Enumerable.Range(0, 0x20).Append(0x7F).Select(value => (char)value))
        {
            // Among so much else that it is met a vector at a time, and alone, where it is met on its own.
            string text = new string('a', 40) + control + new string('b', 40);
            Assert.Equal(text, Parse(Encoding.UTF8.GetBytes(text)));
            Assert.Equal(control.ToString(), Parse([(byte)control]));
        }
    }

    [Fact]
    public void Escapes_are_the_short_ones_where_JSON_has_them()
    {
        Assert.Equal(@"\""\\\n\r\t\b\f\u0000\u001f", Encoding.UTF8.GetString(Escape("\"\\\n\r\t\b\f\0\u001f"u8)));
    }

    [Fact]
    public void Invalid_UTF8_becomes_the_replacement_characters_of_every_decoder()
    {
        Assert.All(Invalid, entry =>
        {
            byte[] source = Convert.FromHexString(entry.Hex);
            string parsed = Parse(source);
            Assert.Equal(Encoding.UTF8.GetString(source), parsed);
            Assert.Contains('\uFFFD', parsed);
        });
    }

    [Fact]
    public void An_escape_at_any_position_of_any_length_up_to_100_is_found()
    {
        for (int length = 0; length <= 100; length++)
        {
            byte[] source = [.. Enumerable.Range(0, length).Select(n => (byte)('a' + (n % 26)))];
            AssertSame(source);
            for (int at = 0; at < length; at++)
            {
                byte plain = source[at];
                source[at] = "\"\\\n\0"u8[at % 4];
                AssertSame(source);
                source[at] = plain;
            }
        }
    }

    [Fact]
    public void A_broken_byte_at_any_position_of_any_length_up_to_100_is_found()
    {
        for (int length = 1; length <= 100; length++)
        {
            for (int at = 0; at < length; at++)
            {
                byte[] source = [.. Enumerable.Repeat((byte)'"', length)];
                source[at] = 0xF0;
                AssertSame(source);
            }
        }
    }

    [Theory]
    [InlineData('x', 16384)]
    [InlineData('"', 2 * 16384)]
    [InlineData('\0', 6 * 16384)]
    public void A_body_of_the_largest_default_size_takes_what_its_escapes_take(char value, int expected)
    {
        string text = new(value, 16384);
        Assert.Equal(expected, Escape(Encoding.UTF8.GetBytes(text)).Length);
        Assert.Equal(text, Parse(Encoding.UTF8.GetBytes(text)));
    }

    [Theory]
    [InlineData(1, 4000, "bytes of all kinds")]
    [InlineData(2, 4000, "valid UTF-8 with escapes")]
    [InlineData(3, 4000, "valid UTF-8 with a broken byte")]
    public void Random_bytes_read_back_as_every_decoder_reads_them(int seed, int cases, string what)
    {
        var random = new Random(seed);
        for (int i = 0; i < cases; i++)
        {
            byte[] source = what[0] == 'b' ? RandomBytes(random) : RandomText(random);
            if (seed == 3 && source.Length > 0)
            {
                source[random.Next(source.Length)] = (byte)random.Next(0x80, 0x100);
            }

            AssertSame(source);
        }
    }

    [Fact]
    public void Too_little_room_is_an_error_and_not_a_write_past_the_end()
    {
        var room = new byte[JsonEscaper.Growth + JsonEscaper.Slack - 1];
        Assert.Throws<ArgumentException>(() => JsonEscaper.Escape("a"u8, room));
    }

    private static byte[] RandomBytes(Random random)
    {
        var bytes = new byte[random.Next(0, 200)];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] RandomText(Random random)
    {
        var text = new StringBuilder();
        for (int runes = random.Next(0, 80); runes > 0; runes--)
        {
            text.Append(random.Next(6) switch
            {
                0 => "\"\\\n\t\0"[random.Next(5)].ToString(),
                1 => char.ConvertFromUtf32(random.Next(0xAC00, 0xD7A4)),
                2 => char.ConvertFromUtf32(random.Next(0x1F300, 0x1F700)),
                3 => char.ConvertFromUtf32(random.Next(0x80, 0x800)),
                _ => ((char)random.Next(0x20, 0x7F)).ToString(),
            });
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void AssertSame(byte[] source)
    {
        string expected = Encoding.UTF8.GetString(source);
        string actual = Parse(source);
        if (actual != expected)
        {
            Assert.Fail($"{Convert.ToHexString(source)} became {Convert.ToHexString(Encoding.UTF8.GetBytes(actual))}");
        }
    }

    private static string Parse(ReadOnlySpan<byte> source)
    {
        byte[] escaped = Escape(source);
        return JsonSerializer.Deserialize<string>([(byte)'"', .. escaped, (byte)'"'])!;
    }

    // Gives the escaper exactly the room that it asks for, and looks whether what lies behind it is untouched.
    private static byte[] Escape(ReadOnlySpan<byte> source)
    {
        int room = (JsonEscaper.Growth * source.Length) + JsonEscaper.Slack;
        var destination = new byte[room + CanaryBytes];
        destination.AsSpan().Fill(Canary);
        int written = JsonEscaper.Escape(source, destination.AsSpan(0, room));
        Assert.True(destination.AsSpan(room).IndexOfAnyExcept(Canary) < 0, "the escaper wrote past its room");
        return destination[..written];
    }
}
