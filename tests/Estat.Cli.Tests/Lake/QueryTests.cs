// `estat query` counts what a plain recount counts.
using System.Globalization;
using System.Text.Json;
using Estat.Cli.Tests.Support;
using Estat.Testing;

namespace Estat.Cli.Tests.Lake;

[Collection(LakeTests.Name)]
public sealed class QueryTests(LakeBucket lake)
{
    [Fact]
    public async Task Its_numbers_are_those_of_a_plain_recount()
    {
        IReadOnlyList<StoredEvent> all = await StoredEvents.FromBucketAsync(lake.Rgw.Client, lake.Name, "raw/");
        string[] byMinute = [.. all.GroupBy(stored => stored.Ts / 60).OrderBy(group => group.Key)
            .Select(group => $"{DateTimeOffset.FromUnixTimeSeconds(group.Key * 60).ToString("yyyy-MM-dd'T'HH:mm'Z'", CultureInfo.InvariantCulture)},{group.Count()}")];
        string[] byPath = [.. all.GroupBy(stored => JsonDocument.Parse(stored.Body).RootElement.GetProperty("page").GetProperty("path").GetString()!)
            .OrderByDescending(group => group.Count()).ThenBy(group => group.Key, StringComparer.Ordinal)
                .Select(group => $"{group.Key},{group.Count()}")];
        (int code, string output) = await EstatCommand.RunAsync(
            lake.Environment(lake.Name), "query", "--by", "minute", "--top", "$.page.path", "--csv");
        Assert.True(code == 0, output);
        string[] lines = output.Split('\n');
        Assert.Equal(["minute,events", .. byMinute, "$.page.path,events", .. byPath],
            lines.Where(text => text.Count(c => c == ',') == 1 && !text.Contains(' ', StringComparison.Ordinal)));

        (code, output) = await EstatCommand.RunAsync(
            lake.Environment(lake.Name), "query", "--fields", "$.n", "--where", "$.page.path=/p3", "--quiet");
        Assert.Equal(0, code);
        Assert.Equal(
            Enumerable.Range(0, LakeBucket.Events).Where(n => n % 7 == 3),
            output.Split('\n').Where(text => text.StartsWith('{')).Select(
                text => int.Parse(JsonDocument.Parse(text).RootElement.GetProperty("$.n").GetString()!, CultureInfo.InvariantCulture)).Order());
    }

    [Fact]
    public async Task A_broken_object_is_told_and_the_others_are_counted()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["raw"]);
        File.WriteAllText(folder["raw/a.jsonl.gz"], "no gzip, and no line");
        File.WriteAllText(folder["raw/b.jsonl"], "{\"ts\":7200,\"ip\":\"\",\"user_agent\":\"\",\"body\":\"x\"}\n");
        (int code, string output) = await EstatCommand.RunAsync(
            new Dictionary<string, string>(), "query", "--from", folder.Path, "--by", "hour", "--json", "--quiet");
        Assert.Equal(1, code);
        Assert.Contains("{\"hour\":\"1970-01-01T02Z\",\"events\":1}", output, StringComparison.Ordinal);
        Assert.Contains("raw/a.jsonl.gz:1: ", output, StringComparison.Ordinal);
    }
}
