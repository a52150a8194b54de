// "Flush now" and "try again now": what they do, and what they answer.
using System.Net;
using System.Text.Json;
using Estat.Testing;

namespace Estat.Api.Tests.Administration;

public sealed class UploadOrderTests
{
    [Fact]
    public async Task Open_batches_are_stored_when_the_operator_flushes_and_not_only_at_FLUSH_INTERVAL()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        await server.SendAsync("one", "two", "three");
        Assert.Equal(0, await server.EventsAsync("stored"));
        JsonElement flushed = (await server.AskAsync(HttpMethod.Post, "/admin/uploads/flush", HttpStatusCode.OK))!.Value;
        Assert.InRange(flushed.GetProperty("batches").GetInt32(), 1, 3);
        Assert.Equal(3, flushed.GetProperty("events").GetInt64());
        await server.UntilAsync("stored", 3);

        JsonElement nothing = (await server.AskAsync(HttpMethod.Post, "/admin/uploads/flush", HttpStatusCode.OK))!.Value;
        Assert.Equal((0, 0), (nothing.GetProperty("batches").GetInt32(), nothing.GetProperty("events").GetInt64()));
        string metrics = await server.Http.GetStringAsync(new Uri("/metrics", UriKind.Relative));
        Assert.Matches("estat_batches_sealed_total{reason=\"operator\"} [1-3]\n", metrics);
    }

    [Fact]
    public async Task What_waits_is_due_at_once_if_storage_answers_and_stays_put_off_if_it_does_not()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        string storage = server.Server.StorageDir;
        Directory.Move(storage, storage + "-away");
        await File.WriteAllTextAsync(storage, "no folder");
        await server.SendAsync(Enumerable.Range(1, 10).Select(number => $"event {number}"));
        await server.UntilAsync("dlq", 10);
        await UntilAsync(server, "failed"); // what storage answered a moment ago counts for a second
        string name = (await server.GetAsync("/admin/dlq")).GetProperty("files")[0].GetProperty("name").GetString()!;
        await server.AskAsync(HttpMethod.Post, $"/admin/dlq/{name}/retry", HttpStatusCode.OK); // fails, and puts it off

        JsonElement failed = (await server.AskAsync(HttpMethod.Post, "/admin/uploads/retry", HttpStatusCode.OK))!.Value;
        Assert.Equal("failed", failed.GetProperty("outcome").GetString());
        Assert.Contains("STORAGE_DIR", failed.GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.NotEqual(JsonValueKind.Null, await DueAsync(server, name));

        File.Delete(storage);
        Directory.Move(storage + "-away", storage);
        JsonElement due = await UntilAsync(server, "due");
        Assert.Equal((0, 1), (due.GetProperty("segments").GetInt32(), due.GetProperty("files").GetInt32()));
        Assert.Equal(JsonValueKind.Null, await DueAsync(server, name));
    }

    [Theory]
    [InlineData("/admin/uploads/flush")]
    [InlineData("/admin/uploads/retry")]
    public async Task Nobody_orders_by_looking(string path)
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        await server.AskAsync(HttpMethod.Get, path, HttpStatusCode.MethodNotAllowed);
        server.Http.DefaultRequestHeaders.Remove("X-Estat-Admin");
        await server.AskAsync(HttpMethod.Post, path, HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task A_node_by_itself_has_no_reminders()
    {
        await using AdministeredServer server = await AdministeredServer.StartAsync();
        await server.AskAsync(HttpMethod.Get, "/admin/spools", HttpStatusCode.NotFound);
        await server.AskAsync(HttpMethod.Delete, "/admin/spools/0", HttpStatusCode.NotFound);
    }

    private static async Task<JsonElement> UntilAsync(AdministeredServer server, string outcome)
    {
        JsonElement answer = default;
        await Wait.UntilAsync(
            async () => (answer = (await server.AskAsync(HttpMethod.Post, "/admin/uploads/retry", HttpStatusCode.OK))!.Value)
                .GetProperty("outcome").GetString() == outcome,
            AdministeredServer.Patience, $"the outcome {outcome}", () => $"{answer}");
        return answer;
    }

    private static async Task<JsonValueKind> DueAsync(AdministeredServer server, string name) =>
        (await server.GetAsync($"/admin/dlq/{name}")).GetProperty("next_due").ValueKind;
}
