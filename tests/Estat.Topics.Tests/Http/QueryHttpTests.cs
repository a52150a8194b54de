// The paths of queries as a client sees them, over a real PostgreSQL.
using System.Text.Json;
using Estat.Topics.Tests.Querying;

namespace Estat.Topics.Tests.Http;

public sealed class QueryHttpTests(LocalPostgres postgres) : IClassFixture<LocalPostgres>, IAsyncLifetime
{
    private static readonly DateTime Day = LocalPostgres.FirstDay;
    private readonly StandingLog _log = new();
    private QueryServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        await postgres.EmptyAsync();
        _server = await QueryServer.StartAsync(postgres.ConnectionString, _log);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Messages_have_the_shape_that_clients_know()
    {
        await postgres.RunAsync(Rows.Messages(30));
        JsonElement page = await _server.GetAsync("/api/messages?topic=user-activities&limit=2&offset=0&count=exact");
        JsonElement row = page.GetProperty("data")[0];

        Assert.Equal(["id", "topic", "partition", "offset", "key", "value", "headers", "timestamp", "createdAt"],
            row.EnumerateObject().Select(member => member.Name));
        Assert.Equal("2026-03-01T00:00:00.000Z", row.GetProperty("timestamp").GetString());
        Assert.Equal("8", row.GetProperty("offset").GetString());
        Assert.Equal("한국어", row.GetProperty("value").GetProperty("text").GetString());
        JsonElement pagination = page.GetProperty("pagination");
        Assert.Equal((9, 2, 0, true), (pagination.GetProperty("total").GetInt32(), pagination.GetProperty("limit").GetInt32(),
            pagination.GetProperty("offset").GetInt32(), pagination.GetProperty("hasMore").GetBoolean()));
    }

    [Theory]
    [InlineData("", 10)]
    [InlineData("topic=user-activities", 10)]
    [InlineData("key=user-5", 10)]
    [InlineData("topic=error-logs&key=user-5", 7)]
    [InlineData("startDate=2026-03-01T00:00:20Z&endDate=2026-03-01T00:01:40", 10)]
    public async Task Pages_over_equal_times_lose_and_double_nothing(string filter, int limit)
    {
        await postgres.RunAsync(Rows.Messages(3000));
        List<string> all = await PositionsAsync($"/api/messages?{filter}&limit=1000");
        List<string> paged = await PositionsAsync($"/api/messages?{filter}&limit={limit}");

        Assert.NotEmpty(all);
        Assert.Equal(all, paged);
        Assert.Equal(all.Count, all.Distinct().Count());
        Assert.Equal(all.OrderDescending(StringComparer.Ordinal), all);
        if (filter.Length == 0)
        {
            Assert.Equal(3000, all.Count);
        }
    }

    [Fact]
    public async Task Every_limit_is_kept_and_the_thousand_and_first_row_is_the_next_page_s()
    {
        await postgres.RunAsync(Rows.Messages(1001));
        JsonElement first = await _server.GetAsync("/api/messages?limit=1000");
        string cursor = first.GetProperty("pagination").GetProperty("cursor").GetString()!;
        JsonElement second = await _server.GetAsync($"/api/messages?limit=1000&cursor={cursor}");

        Assert.Equal((1000, 1), (first.GetProperty("data").GetArrayLength(), second.GetProperty("data").GetArrayLength()));
        Assert.False(second.GetProperty("pagination").GetProperty("hasMore").GetBoolean());
        Assert.Equal(100, (await _server.GetAsync("/api/messages")).GetProperty("data").GetArrayLength());
        Assert.Equal(1, (await _server.GetAsync("/api/messages?offset=1000")).GetProperty("data").GetArrayLength());
    }

    [Theory]
    [InlineData("startDate=2026-03-01T00:00:10Z", 6)]
    [InlineData("startDate=2026-03-01T09:00:10%2B09:00", 6)]
    [InlineData("startDate=2026-03-01T09:00:10+09:00", 6)]
    [InlineData("startDate=2026-03-01T00:00:10", 6)]
    [InlineData("endDate=2026-03-01", 16)]
    [InlineData("endDate=2026-03-01T00:00:10.000Z", 11)]
    [InlineData("endDate=2026-02-28", 0)]
    [InlineData("startDate=2026-03-01&endDate=2026-03-01T00:00:00Z", 1)]
    public async Task Times_are_inclusive_and_UTC_unless_they_say_otherwise(string filter, int seconds)
    {
        await postgres.RunAsync(Rows.Messages(16 * 30)); // 30 a second
        JsonElement page = await _server.GetAsync($"/api/messages?limit=1000&count=exact&{filter}");
        Assert.Equal((seconds * 30, seconds * 30), (page.GetProperty("data").GetArrayLength(),
            page.GetProperty("pagination").GetProperty("total").GetInt32()));
    }

    [Theory]
    [InlineData("/api/messages?limit=0", "limit")]
    [InlineData("/api/messages?limit=1001", "limit")]
    [InlineData("/api/messages?limit=ten", "limit")]
    [InlineData("/api/messages?offset=10001", "offset")]
    [InlineData("/api/messages?offset=-1", "offset")]
    [InlineData("/api/messages?startDate=01/02/2026", "startDate")]
    [InlineData("/api/messages?endDate=yesterday", "endDate")]
    [InlineData("/api/messages?startDate=2026-03-02&endDate=2026-03-01", "startDate")]
    [InlineData("/api/messages?topik=a", "topik")]
    [InlineData("/api/messages?Topic=a", "Topic")]
    [InlineData("/api/messages?topic=a&topic=b", "topic")]
    [InlineData("/api/messages?topic=a%00b", "topic")]
    [InlineData("/api/messages?count=all", "count")]
    [InlineData("/api/messages?cursor=x", "cursor")]
    [InlineData("/api/errors?resolved=maybe", "resolved")]
    [InlineData("/api/metrics/aggregated", "metricName")]
    [InlineData("/api/metrics/aggregated?metricName=a&period=week", "period")]
    [InlineData("/api/stats?x=1", "x")]
    public async Task What_is_wrong_is_400_and_names_the_parameter(string path, string parameter) =>
        Assert.Contains(parameter, (await _server.GetAsync(path, 400)).GetProperty("error").GetString(), StringComparison.Ordinal);

    [Fact]
    public async Task A_cursor_of_another_question_or_a_changed_one_is_400()
    {
        await postgres.RunAsync(Rows.Messages(300));
        string cursor = (await _server.GetAsync("/api/messages?topic=user-activities&limit=10"))
            .GetProperty("pagination").GetProperty("cursor").GetString()!;

        await _server.GetAsync($"/api/messages?topic=user-activities&limit=99&cursor={cursor}");
        await _server.GetAsync($"/api/messages?topic=error-logs&cursor={cursor}", 400);
        await _server.GetAsync($"/api/messages?cursor={cursor}", 400);
        await _server.GetAsync($"/api/user-activities?cursor={cursor}", 400);
        await _server.GetAsync($"/api/messages?topic=user-activities&startDate=2026-03-01&cursor={cursor}", 400);
        await _server.GetAsync($"/api/messages?topic=user-activities&offset=0&cursor={cursor}", 400);
        await _server.GetAsync($"/api/messages?topic=user-activities&cursor={cursor[..^2]}", 400);
        for (int i = 0; i < cursor.Length; i += 3)
        {
            char other = cursor[i] == 'A' ? 'B' : 'A';
            await _server.GetAsync($"/api/messages?topic=user-activities&cursor={cursor[..i]}{other}{cursor[(i + 1)..]}", 400);
        }
    }

    [Theory]
    [InlineData("' OR '1'='1")]
    [InlineData("'; DROP TABLE messages; --")]
    [InlineData("$1")]
    [InlineData("\" OR true --")]
    public async Task A_filter_s_text_is_never_SQL(string text)
    {
        await postgres.RunAsync(Rows.Messages(30));
        string sent = Uri.EscapeDataString(text);
        foreach (string path in new[]
        {
            $"/api/messages?topic={sent}", $"/api/messages?key={sent}", $"/api/user-activities?userId={sent}&action={sent}",
            $"/api/metrics?metricName={sent}",
            $"/api/errors?service={sent}&severity={sent}", $"/api/metrics/aggregated?metricName={sent}",
        })
        {
            Assert.Equal(0, (await _server.GetAsync(path)).GetProperty("data").GetArrayLength());
        }

        Assert.Equal(30, (await _server.GetAsync("/api/messages")).GetProperty("data").GetArrayLength());
    }

    [Fact]
    public async Task A_key_may_be_longer_than_an_index_takes()
    {
        string key = new('k', 10_000);
        await postgres.RunAsync(Rows.Messages(30) + $"""
            INSERT INTO messages VALUES (gen_random_uuid(), 'notifications', 0, 1000, '{key}', '1', NULL, '2026-03-01Z', now());
            """);
        JsonElement page = await _server.GetAsync($"/api/messages?key={key[..8000]}");
        Assert.Equal(0, page.GetProperty("data").GetArrayLength());
    }

    [Fact]
    public async Task User_activities_are_filtered_by_user_and_action()
    {
        await postgres.RunAsync("""
            INSERT INTO user_activities SELECT gen_random_uuid(), 'user-' || g % 5, CASE WHEN g % 2 = 0 THEN 'login' ELSE 'logout' END, '/dashboard',
              '{"browser": "Chrome"}', '192.168.1.100', 'Mozilla',
              timestamptz '2026-03-02Z' + g * interval '1 ms', now() FROM generate_series(0, 199) g
            """);
        await CountAsync("/api/user-activities?limit=1000", 200);
        await CountAsync("/api/user-activities?userId=user-1&limit=1000", 40);
        await CountAsync("/api/user-activities?action=login&limit=1000", 100);
        await CountAsync("/api/user-activities?userId=user-1&action=login&limit=1000", 20);
        await CountAsync("/api/user-activities?endDate=2026-03-02T00:00:00.099Z&limit=1000", 100);
        JsonElement row = (await _server.GetAsync("/api/user-activities?limit=1")).GetProperty("data")[0];
        Assert.Equal(("user-4", "Chrome"), (row.GetProperty("userId").GetString(), row.GetProperty("metadata").GetProperty("browser").GetString()));
    }

    [Fact]
    public async Task Metrics_are_filtered_by_name_and_summed_up_by_UTC_periods()
    {
        await postgres.RunAsync("""
            INSERT INTO system_metrics SELECT gen_random_uuid(),
              CASE WHEN g % 2 = 0 THEN 'cpu_usage' ELSE 'memory' END, g, 'percentage', '{"server": "web-01"}',
              timestamptz '2026-03-03Z' + g * interval '1 minute', now() FROM generate_series(0, 239) g
            """);
        await CountAsync("/api/metrics?metricName=cpu_usage&limit=1000", 120);
        JsonElement hours = (await _server.GetAsync("/api/metrics/aggregated?metricName=cpu_usage&startDate=2026-03-03&endDate=2026-03-04"))
            .GetProperty("data");
        Assert.Equal(["2026-03-03 03", "2026-03-03 02", "2026-03-03 01", "2026-03-03 00"],
            hours.EnumerateArray().Select(hour => hour.GetProperty("period").GetString()));
        JsonElement first = hours[3];
        Assert.Equal((29.0, 0.0, 58.0, 30), (first.GetProperty("avg_value").GetDouble(), first.GetProperty("min_value").GetDouble(),
            first.GetProperty("max_value").GetDouble(), first.GetProperty("count").GetInt32()));
        Assert.Equal(55.1, first.GetProperty("p95_value").GetDouble(), 6);
        JsonElement day = (await _server.GetAsync("/api/metrics/aggregated?metricName=memory&period=day&endDate=2026-03-04")).GetProperty("data");
        Assert.Equal("2026-03-03", Assert.Single(day.EnumerateArray()).GetProperty("period").GetString());
        JsonElement minutes = (await _server.GetAsync("/api/metrics/aggregated?metricName=memory&period=minute&endDate=2026-03-03T03:00:00Z"))
            .GetProperty("data");
        Assert.Equal(("2026-03-03 02:59", 90), (minutes[0].GetProperty("period").GetString(), minutes.GetArrayLength()));
    }

    [Fact]
    public async Task Errors_are_filtered_and_marked_as_resolved_and_open_again()
    {
        Guid id = Rows.Id(Day.AddHours(3), 1);
        await postgres.RunAsync(
            Rows.Error(id, Day.AddHours(3), "api", "error", false) + Rows.Error(Rows.Id(Day, 2), Day, "api", "critical", true)
            + Rows.Error(Rows.Id(Day, 3), Day, "consumer", "error", false));
        await CountAsync("/api/errors?service=api&severity=error&resolved=false", 1);
        await CountAsync("/api/errors?resolved=true", 1);
        await CountAsync("/api/errors?severity=error", 2);
        await CountAsync("/api/errors", 3);

        (int status, string body, _) = await _server.SendAsync(HttpMethod.Patch, $"/api/errors/{id}", """{"resolved":true}""");
        Assert.Equal(200, status);
        string resolvedAt = JsonDocument.Parse(body).RootElement.GetProperty("data").GetProperty("resolvedAt").GetString()!;
        (_, body, _) = await _server.SendAsync(HttpMethod.Patch, $"/api/errors/{id}", """{"resolved":true}""");
        Assert.Contains(resolvedAt, body, StringComparison.Ordinal);
        await CountAsync("/api/errors?resolved=true", 2);
        (_, body, _) = await _server.SendAsync(HttpMethod.Patch, $"/api/errors/{id}", """{"resolved":false}""");
        Assert.Contains("\"resolvedAt\":null", body, StringComparison.Ordinal);

        Assert.Equal(404, (await _server.SendAsync(HttpMethod.Patch, $"/api/errors/{Rows.Id(Day, 99)}", """{"resolved":true}""")).Status);
        (status, _, _) = await _server.SendAsync(HttpMethod.Patch, "/api/errors/ffffffff-ffff-ffff-ffff-ffffffffffff", """{"resolved":true}""");
        Assert.Equal(404, status);
        Assert.Equal(400, (await _server.SendAsync(HttpMethod.Patch, "/api/errors/12", """{"resolved":true}""")).Status);
        foreach (string wrong in new[] { "", "{}", """{"resolved":1}""", """{"resolved":true,"x":1}""", "[true]" })
        {
            Assert.Equal(400, (await _server.SendAsync(HttpMethod.Patch, $"/api/errors/{id}", wrong)).Status);
        }

        Assert.Equal(413, (await _server.SendAsync(HttpMethod.Patch, $"/api/errors/{id}", new string(' ', 5000))).Status);
    }

    [Fact]
    public async Task Topics_show_the_log_beside_the_database_and_stats_come_from_counters()
    {
        _log.Make("user-activities", 2);
        _log.Make("fresh", 1);
        for (int i = 0; i < 10; i++)
        {
            _log.Add("user-activities", 1, null, "1"u8.ToArray());
        }

        await postgres.RunAsync("""
            INSERT INTO topic_status (topic_name, partition_count, replication_factor, last_message_at, message_count, typed_count)
            VALUES ('user-activities', 2, 1, '2026-03-01T10:30:00Z', 12000, 11000), ('error-logs', 3, 1, NULL, 150, 100);
            INSERT INTO consumer_offsets VALUES ('estat', 'user-activities', 1, 7, 7, 1, 'log'), ('other', 'user-activities', 1, 1, 1, 1, 'log');
            """);
        JsonElement list = await _server.GetAsync("/api/topics");
        Assert.Equal(["user-activities", "error-logs", "fresh"],
            list.GetProperty("data").EnumerateArray().Select(topic => topic.GetProperty("topicName").GetString()));
        JsonElement topic = (await _server.GetAsync("/api/topics/user-activities")).GetProperty("data");
        Assert.Equal((12000, 3, "2026-03-01T10:30:00.000Z", 604800),
            (topic.GetProperty("messageCount").GetInt32(), topic.GetProperty("lag").GetInt32(),
            topic.GetProperty("lastMessageAt").GetString(), topic.GetProperty("retentionSeconds").GetInt32()));
        Assert.Equal(("10", "7", 3), (topic.GetProperty("partitions")[1].GetProperty("endOffset").GetString(),
            topic.GetProperty("partitions")[1].GetProperty("storedOffset").GetString(),
            topic.GetProperty("partitions")[1].GetProperty("lag").GetInt32()));
        await _server.GetAsync("/api/topics/none", 404);
        JsonElement stats = (await _server.GetAsync("/api/stats")).GetProperty("stats");
        Assert.Equal((12150, 11000, 0, 100, 2), (stats.GetProperty("messages").GetInt32(), stats.GetProperty("userActivities").GetInt32(),
            stats.GetProperty("metrics").GetInt32(), stats.GetProperty("errors").GetInt32(), stats.GetProperty("activeTopics").GetInt32()));
    }

    [Fact]
    public async Task The_log_is_read_as_it_is_and_waited_for()
    {
        _log.Make("t", 1);
        _log.Add("t", 0, "k"u8.ToArray(), """{"a":"한"}"""u8.ToArray(), new MessageHeader("h", "v"u8.ToArray()), new MessageHeader("h", null));
        _log.Add("t", 0, [0xff], [0xff, 0x00]);
        _log.Add("t", 0, null, null);
        JsonElement page = await _server.GetAsync("/api/topics/t/records");
        JsonElement data = page.GetProperty("data");
        Assert.Equal(("k", "한", "0"), (data[0].GetProperty("key").GetString(), data[0].GetProperty("value").GetProperty("a").GetString(),
            data[0].GetProperty("offset").GetString()));
        Assert.Equal(("/w==", "/wA="), (data[1].GetProperty("keyBase64").GetString(), data[1].GetProperty("valueBase64").GetString()));
        Assert.Equal("3", page.GetProperty("nextOffset").GetString());
        Assert.Equal("2026-03-01T00:00:00.123Z", data[0].GetProperty("timestamp").GetString());

        Task<JsonElement> waiting = _server.GetAsync("/api/topics/t/records?offset=3&wait=30");
        await Wait.UntilAsync(() => Volatile.Read(ref _log.Waiting) > 0, TimeSpan.FromSeconds(20), "a reader to wait", () => "");
        _log.Add("t", 0, null, "4"u8.ToArray());
        Assert.Equal(1, (await waiting).GetProperty("data").GetArrayLength());

        Task<JsonElement> drained = _server.GetAsync("/api/topics/t/records?offset=4&wait=30");
        await Wait.UntilAsync(() => Volatile.Read(ref _log.Waiting) > 1, TimeSpan.FromSeconds(20), "a reader to wait", () => "");
        _server.Drain();
        Assert.Equal(0, (await drained.WaitAsync(TimeSpan.FromSeconds(20))).GetProperty("data").GetArrayLength());
        await _server.GetAsync("/api/topics/t/records?partition=1", 400);
        await _server.GetAsync("/api/topics/t/records?wait=31", 400);
        await _server.GetAsync("/api/topics/none/records", 404);
        _log.IsBroken = true;
        await _server.GetAsync("/api/topics/t/records", 503);
    }

    [Fact]
    public async Task A_page_ends_early_where_its_rows_are_large()
    {
        await postgres.RunAsync("""
            INSERT INTO messages SELECT gen_random_uuid(), 'big', 0, g, NULL, to_jsonb(repeat('x', 1000000)), NULL, '2026-03-01Z', now()
            FROM generate_series(0, 39) g
            """);
        var sizes = new List<int>();
        string? cursor = null;
        do
        {
            JsonElement page = await _server.GetAsync($"/api/messages?topic=big&limit=1000{(cursor is null ? "" : $"&cursor={cursor}")}");
            sizes.Add(page.GetProperty("data").GetArrayLength());
            cursor = page.GetProperty("pagination").GetProperty("cursor").GetString();
        }
        while (cursor is not null);
        Assert.Equal([17, 17, 6], sizes);
        await CountAsync("/api/messages?topic=big&limit=1", 1); // the connection is as good as new
    }

    [Fact]
    public async Task Unknown_paths_and_methods_heads_and_preflights_are_answered()
    {
        foreach (string path in new[] { "/api/", "/api/nothing", "/api/messages/1", "/api/topics/", "/api/topics/a/b", "/api/errors/" })
        {
            Assert.Equal(404, (await _server.SendAsync(HttpMethod.Get, path)).Status);
        }

        Assert.Equal(405, (await _server.SendAsync(HttpMethod.Post, "/api/messages", "{}")).Status);
        Assert.Equal(405, (await _server.SendAsync(HttpMethod.Get, "/api/errors/1")).Status);
        (int status, string body, HttpResponseMessage head) = await _server.SendAsync(HttpMethod.Head, "/api/messages");
        Assert.Equal((200, "", true), (status, body, head.Content.Headers.ContentLength > 10));
        (status, _, HttpResponseMessage preflight) = await _server.SendAsync(HttpMethod.Options, "/api/messages");
        Assert.Equal((204, "GET, HEAD, OPTIONS"), (status, string.Join(", ", preflight.Content.Headers.Allow)));
    }

    [Fact]
    public async Task An_estimate_needs_no_counting()
    {
        await postgres.RunAsync(Rows.Messages(3000) + "; ANALYZE messages");
        JsonElement page = await _server.GetAsync("/api/messages?topic=user-activities&count=estimated");
        Assert.InRange(page.GetProperty("pagination").GetProperty("total").GetInt32(), 500, 1000);
    }

    private async Task CountAsync(string path, int count) =>
        Assert.Equal(count, (await _server.GetAsync(path)).GetProperty("data").GetArrayLength());

    // Each as a text that sorts as pages do.
    private async Task<List<string>> PositionsAsync(string path)
    {
        var positions = new List<string>();
        string? cursor = null;
        do
        {
            JsonElement page = await _server.GetAsync(cursor is null ? path : $"{path}&cursor={cursor}");
            positions.AddRange(page.GetProperty("data").EnumerateArray().Select(row => string.Join(
                ' ', row.GetProperty("timestamp").GetString(), row.GetProperty("topic").GetString(), row.GetProperty("partition").GetInt32(),
                row.GetProperty("offset").GetString()!.PadLeft(10, '0'))));
            cursor = page.GetProperty("pagination").GetProperty("cursor").GetString();
        }
        while (cursor is not null);
        return positions;
    }
}
