// The live tail shows what was accepted, to whom it may concern, and harms nobody.
using System.Net;
using System.Text.Json;

namespace Estat.Api.Tests.Administration;

public sealed class TailTests
{
    [Fact]
    public async Task Accepted_events_are_shown_as_they_will_be_stored_from_every_way_in_and_refused_ones_never()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        using EventReader tail = await EventReader.OpenAsync(server.Http, "/tail?rate=100");
        await UntilWatchedAsync(tail);
        await server.SendAsync("one", "{\"쪽\":\"<script>\"}");
        Assert.Equal(HttpStatusCode.OK, (await server.Http.GetAsync(new Uri("/collect?pixel", UriKind.Relative))).StatusCode);
        using var batch = new StringContent("first of two\nsecond of two\n");
        Assert.Equal(HttpStatusCode.OK, (await server.Http.PostAsync(new Uri("/collect/batch", UriKind.Relative), batch)).StatusCode);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, await server.Server.PostAsync(new string('x', 20_000)));
        await server.SendAsync("last");

        var lines = new List<string>();
        while (lines.Count == 0 || !lines[^1].Contains("\"last\"", StringComparison.Ordinal))
        {
            lines.Add((await NextAsync(tail, "event")).GetRawText());
        }

        Assert.Equal(["one", "{\"쪽\":\"<script>\"}", "pixel", "first of two", "second of two", "last"], lines.Select(BodyOf));
        IEnumerable<string> stored = (await server.Server.DrainAsync()).Select(line => line.Body);
        Assert.Equal(stored.Order(StringComparer.Ordinal), lines.Select(BodyOf).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Filters_let_through_what_they_say()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        using EventReader text = await EventReader.OpenAsync(server.Http, "/tail?rate=100&contains=CART%22");
        using EventReader value = await EventReader.OpenAsync(server.Http, "/tail?rate=100&where=$.page.path=/cart&where=$.items[1].n=2");
        await UntilWatchedAsync(text);
        await UntilWatchedAsync(value);
        await server.SendAsync(
            "no JSON", "{\"page\":{\"path\":\"/home\"}}", "{\"page\":{\"path\":\"/cart\"},\"items\":[{},{\"n\":3}]}",
            "{\"page\":{\"path\":\"/cart\"},\"items\":[{},{\"n\":2}]}");
        Assert.Contains("{\"n\":3}", BodyOf((await NextAsync(text, "event")).GetRawText()), StringComparison.Ordinal);
        Assert.Contains("{\"n\":2}", BodyOf((await NextAsync(text, "event")).GetRawText()), StringComparison.Ordinal);
        Assert.Contains("{\"n\":2}", BodyOf((await NextAsync(value, "event")).GetRawText()), StringComparison.Ordinal);
        JsonElement note = await NextAsync(value, "note");
        Assert.Equal((4, 1, 1, 0), (
            note.GetProperty("seen").GetInt64(), note.GetProperty("matched").GetInt64(), note.GetProperty("sent")
                .GetInt64(), note.GetProperty("skipped").GetInt64()));
    }

    [Fact]
    public async Task A_watcher_who_reads_nothing_keeps_nobody_from_sending_or_watching_and_a_drain_does_not_wait_for_it()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        using RawHttp deaf = await server.Server.ConnectAsync();
        await deaf.SendAsync("GET /tail?rate=100 HTTP/1.1\r\nHost: localhost\r\n\r\n");
        using EventReader tail = await EventReader.OpenAsync(server.Http, "/tail?rate=1");
        await UntilWatchedAsync(tail);
        await server.SendAsync(Enumerable.Range(0, 400).Select(number => $"{number} " + new string('x', 16_000)));
        Assert.StartsWith("0 ", BodyOf((await NextAsync(tail, "event")).GetRawText()), StringComparison.Ordinal);
        JsonElement note = await NextAsync(tail, "note");
        Assert.True(note.GetProperty("skipped").GetInt64() > 0, note.GetRawText());
        await server.Server.DrainAsync().WaitAsync(TimeSpan.FromSeconds(15));
    }

    [Fact]
    public async Task The_twenty_first_watcher_is_told_to_come_later()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        var open = new List<EventReader>();
        for (int i = 0; i < 20; i++)
        {
            open.Add(await EventReader.OpenAsync(server.Http, "/tail"));
        }

        await server.AskAsync(HttpMethod.Get, "/tail", HttpStatusCode.ServiceUnavailable);
        open.ForEach(reader => reader.Dispose());
    }

    [Theory]
    [InlineData("rate=0")]
    [InlineData("rate=101")]
    [InlineData("rate=fast")]
    [InlineData("where=cart")]
    [InlineData("where=$.a")]
    public async Task A_filter_that_is_none_is_explained(string query)
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        await server.AskAsync(HttpMethod.Get, $"/tail?{query}", HttpStatusCode.BadRequest);
        await server.AskAsync(HttpMethod.Get, $"/tail?contains={new string('x', 501)}", HttpStatusCode.BadRequest);
    }

    // The first note comes from a watcher that is registered.
    private static async Task UntilWatchedAsync(EventReader tail) => await NextAsync(tail, "note");

    private static async Task<JsonElement> NextAsync(EventReader tail, string name)
    {
        while (true)
        {
            (string Name, string Data)? next = await tail.NextAsync();
            Assert.NotNull(next);
            if (next.Value.Name == name)
            {
                using var document = JsonDocument.Parse(next.Value.Data);
                return document.RootElement.Clone();
            }
        }
    }

    private static string BodyOf(string line)
    {
        using var document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty("body").GetString()!;
    }
}
