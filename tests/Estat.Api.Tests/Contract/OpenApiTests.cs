// /openapi.json: sound, served, and a judge that can say no. That it is true is checked with every answer of the other tests (ContractHandler,
// RawHttp).
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Estat.Base.Acks;
using Estat.Http.Answering;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;

namespace Estat.Api.Tests.Contract;

public sealed class OpenApiTests
{
    private static readonly Uri Path = new("/openapi.json", UriKind.Relative);

    [Fact]
    public async Task It_is_served_to_everybody_with_the_limits_of_its_node()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with
        {
            Http = options.Http with { AdminToken = "a-token-that-nobody-shows" },
            Collect = options.Collect with { MaxBodySize = 4321, AckAllowed = [AckLevel.Disk] },
        });
        using HttpResponseMessage answer = await server.Client.GetAsync(Path);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        string text = await answer.Content.ReadAsStringAsync();
        JsonNode document = JsonNode.Parse(text)!;
        Assert.Equal("3.1.1", document["openapi"]!.GetValue<string>());
        JsonNode plain = document["paths"]!["/collect"]!["post"]!["requestBody"]!["content"]!["text/plain"]!;
        Assert.Equal(4321, plain["schema"]!["maxLength"]!.GetValue<int>());
        Assert.Equal("""["disk"]""", document["components"]!["parameters"]!["AckAsked"]!["schema"]!["enum"]!.ToJsonString());
        Assert.DoesNotMatch("%[A-Z_]+%", text);

        using var again = new HttpRequestMessage(HttpMethod.Get, Path) { Headers = { { "If-None-Match", answer.Headers.ETag!.ToString() } } };
        using HttpResponseMessage unchanged = await server.Client.SendAsync(again);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
    }

    [Theory]
    [InlineData("collect")]
    [InlineData("requests")]
    [InlineData("collect,requests")]
    [InlineData("topics")]
    [InlineData("collect,requests,topics")]
    public async Task Microsofts_reader_finds_no_fault_with_it(string serve)
    {
        using var stream = new MemoryStream(ApiDescription.DocumentOf(serve));
        ReadResult read = await OpenApiDocument.LoadAsync(stream, "json");
        Assert.Empty(read.Diagnostic!.Errors);
        Assert.Empty(read.Diagnostic.Warnings);
        Assert.Equal(OpenApiSpecVersion.OpenApi3_1, read.Diagnostic.SpecificationVersion);
        string?[] ids = [.. read.Document!.Paths.SelectMany(path => path.Value.Operations!).Select(operation => operation.Value.OperationId)];
        Assert.Distinct(ids);
        Assert.All(ids, Assert.NotNull);
    }

    [Theory]
    [InlineData("collect", 8)]
    [InlineData("requests", 2)]
    [InlineData("collect,requests", 10)]
    [InlineData("topics", 8)]
    [InlineData("collect,requests,topics", 20)]
    public void Its_examples_are_valid_and_it_refers_to_nothing_that_is_not_there(string serve, int least)
    {
        JsonNode document = JsonNode.Parse(ApiDescription.DocumentOf(serve))!;
        var schemas = new JsonSchema(document);
        int examples = 0;
        foreach (JsonObject part in Parts(document))
        {
            schemas.Resolve(part);
            if (part["example"] is { } example && part["schema"] is { } schema)
            {
                Assert.Empty(schemas.Check(schema, example));
                examples++;
            }
        }

        Assert.True(examples > least, $"only {examples} examples");
    }

    [Fact]
    public void Two_capabilities_that_describe_the_same_path_are_an_error()
    {
        Func<string> part = () => """{"info":{"description":"One."},"tags":[],"paths":{"/same":{}}}""";
        Assert.Contains("/same", Assert.Throws<InvalidOperationException>(() => OpenApiPage.Write([part, part])).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "/collect", 200, "X-Estat-Ack: disk\nX-Estat-Key: raw/x", "", null)]
    [InlineData("POST", "/collect", 200, "X-Estat-Ack: disk", "", "the header X-Estat-Key is missing")]
    [InlineData("POST", "/collect", 200, "X-Estat-Ack: tape\nX-Estat-Key: raw/x", "", "header X-Estat-Ack: ")]
    [InlineData("POST", "/collect", 200, "X-Estat-Ack: disk\nX-Estat-Key: raw/x\nX-Other: 1", "", "the header X-Other is not described")]
    [InlineData("POST", "/collect", 418, "", "", "the status 418 is not described")]
    [InlineData(
        "POST", "/collect/batch", 200, "Content-Type: application/json", """{"accepted":1,"rejected":[],"more":1}""",
        "body: $.more is not described")]
    [InlineData("POST", "/collect/batch", 200, "Content-Type: application/json", """{"accepted":"1","rejected":[]}""", "body: $.accepted: type ")]
    [InlineData("POST", "/collect/batch", 200, "Content-Type: text/html", "<p>", "the content type text/html is not described")]
    [InlineData(
        "POST", "/collect", 503, "Content-Type: application/problem+json",
        """{"type":"urn:estat:problem","title":"Service Unavailable","status":503,"detail":"not at this moment"}""",
        "the header Retry-After is missing")]
    [InlineData(
        "PUT", "/collect", 405, "Allow: GET\nContent-Type: application/problem+json",
        """{"type":"urn:estat:problem","title":"No","status":405,"detail":"some long detail"}""", "Allow says GET")]
    [InlineData("GET", "/nothing", 200, "", "", "the path /nothing is not described")]
    [InlineData("GET", "/admin/dlq/some.jsonl.gz", 200, "Content-Type: application/json", "{}", "body: $: required")]
    public void What_it_does_not_describe_fails_a_test(string method, string path, int status, string headers, string body, string? fault)
    {
        ILookup<string, string> lookup = headers.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(": "))
            .ToLookup(pair => pair[0], pair => pair[1], StringComparer.OrdinalIgnoreCase);
        string[] faults = [.. ApiDescription.Default.FaultsOf(
            new Answer(method, path, status, lookup, lookup["Content-Type"].SingleOrDefault(), Encoding.UTF8.GetBytes(body)))];
        if (fault is null)
        {
            Assert.Empty(faults);
        }
        else
        {
            Assert.Contains(faults, found => found.StartsWith(fault, StringComparison.Ordinal));
        }
    }

    private static IEnumerable<JsonObject> Parts(JsonNode? node) => node switch
    {
        JsonObject one => one.SelectMany(member => Parts(member.Value)).Prepend(one),
        JsonArray several => several.SelectMany(Parts),
        _ => [],
    };
}
