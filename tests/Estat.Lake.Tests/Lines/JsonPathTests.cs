// The small JSON path, and the filter that is made of it.
using System.Text;
using Estat.Lake.Lines;

namespace Estat.Lake.Tests.Lines;

public sealed class JsonPathTests
{
    private const string Json = """{"page":{"path":"/cart","n":1.50,"ok":true,"none":null},"items":[{"id":"a\n한"},[1,2]],"c d":{"it's":"x"},"page":"second"}""";

    [Theory]
    [InlineData("$.page.path", "/cart")]
    [InlineData("$.page.n", "1.50")]
    [InlineData("$.page.ok", "true")]
    [InlineData("$.page.none", "null")]
    [InlineData("$.items[0].id", "a\n한")]
    [InlineData("$.items[1]", "[1,2]")]
    [InlineData("$['c d']['it\\'s']", "x")]
    [InlineData("$[\"page\"].path", "/cart")]
    [InlineData("$.items[2]", null)]
    [InlineData("$.page.path.deeper", null)]
    [InlineData("$.page[0]", null)]
    [InlineData("$.nothing", null)]
    public void It_finds_the_value_or_says_that_there_is_none(string path, string? expected) =>
        Assert.Equal(expected, JsonPath.TryParse(path)!.ValueIn(Encoding.UTF8.GetBytes(Json)));

    [Theory]
    [InlineData("hello=estat")]
    [InlineData("")]
    [InlineData("{\"page\":{\"path\"")]
    [InlineData("[1,2")]
    [InlineData("""{"\ud800":1,"\ud800aaaaaaaaaaaaaaaaaa":1}""")]
    public void What_is_no_JSON_has_no_value(string body) => Assert.Null(JsonPath.TryParse("$.page.path")!.ValueIn(Encoding.UTF8.GetBytes(body)));

    [Theory]
    [InlineData("page")]
    [InlineData("$.")]
    [InlineData("$.a..b")]
    [InlineData("$[")]
    [InlineData("$[-1]")]
    [InlineData("$['a")]
    [InlineData("$['a'")]
    [InlineData("$a")]
    [InlineData("")]
    public void What_is_no_path_is_told(string path) => Assert.Null(JsonPath.TryParse(path));

    [Theory]
    [InlineData("$.a=b=c", null, true)]
    [InlineData("$.a=b", null, false)]
    [InlineData("$['x=y']=1", null, true)]
    [InlineData("$.a=b=c", "HELLO", true)]
    [InlineData("$.a=b=c", "absent", false)]
    public void A_filter_passes_what_holds_all_of_it(string where, string? contains, bool expected)
    {
        byte[] body = """{"a":"b=c","x=y":1,"t":"Hello"}"""u8.ToArray();
        Assert.Equal(expected, EventFilter.Of([where], contains).Passes(body, body));
    }

    [Fact]
    public void A_condition_without_a_path_is_refused() =>
        Assert.Contains("page=/cart", Assert.Throws<FormatException>(() => EventFilter.Of(["page=/cart"], null)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("""{"ts":1,"ip":"1","user_agent":"","body":"a\"b","id":"x","later":{"a":[1]}}""", null)]
    [InlineData("""{"ts":1.5,"ip":"1","user_agent":"","body":""}""", "ts")]
    [InlineData("""{"ts":1,"ip":"1","user_agent":""}""", "no body")]
    [InlineData("""{"ts":1,"ip":"1","user_agent":null,"body":""}""", "user_agent")]
    [InlineData("""{"ts":1,"ip":"1","user_agent":"","body":""} x""", "not JSON")]
    [InlineData("""[1]""", "not a JSON object")]
    [InlineData("""{"ts":1""", "not JSON")]
    public void A_stored_line_is_taken_apart_or_its_fault_told(string line, string? fault)
    {
        var read = new StoredLine();
        string? said = read.Read(Encoding.UTF8.GetBytes(line + "\n"));
        if (fault is null)
        {
            Assert.Null(said);
            Assert.Equal(("a\"b", "x", 1L), (Encoding.UTF8.GetString(read.Body), read.Id, read.Ts));
        }
        else
        {
            Assert.Contains(fault, said, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("ts", "1")]
    [InlineData("ip", "127.0.0.1")]
    [InlineData("user_agent", "\\ud800")]
    [InlineData("cookie", """{"a":[1]}""")]
    [InlineData("id", null)]
    public void A_field_of_the_envelope_is_text_whatever_it_holds(string name, string? expected)
    {
        byte[] line = """{"ts":1,"ip":"127.0.0.1","user_agent":"\ud800","cookie":{"a":[1]},"body":""}"""u8.ToArray();
        Assert.Null(new StoredLine().Read(line));
        Assert.Equal(expected, StoredLine.FieldOf(line, Encoding.UTF8.GetBytes(name)));
    }
}
