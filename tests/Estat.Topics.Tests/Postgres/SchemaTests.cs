// The tables: made once, by whoever comes first.
using Estat.Base.Options;
using Estat.Topics.Options;
using Estat.Topics.Postgres;
using Npgsql;

namespace Estat.Topics.Tests.Postgres;

public sealed class SchemaTests(SharedPostgres postgres)
{
    [Fact]
    public async Task Nodes_that_start_at_once_make_the_tables_once_and_another_start_changes_nothing()
    {
        var database = await postgres.Server.CreateDatabaseAsync();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => PrepareAsync(database))));
        await PrepareAsync(database);
        await PrepareAsync(database, migrate: false);
        Assert.Equal(
            "1|001-tables.sql",
            await postgres.Server.QueryAsync(database, "SELECT version, name FROM estat_schema ORDER BY 1"));
    }

    [Fact]
    public async Task A_schema_that_is_missing_or_newer_is_said()
    {
        var database = await postgres.Server.CreateDatabaseAsync();
        var missing = await Assert.ThrowsAsync<DatabaseUnfitException>(() => PrepareAsync(database, migrate: false));
        Assert.Contains("TOPICS_MIGRATE=true", missing.Message, StringComparison.Ordinal);
        await PrepareAsync(database);
        await postgres.Server.QueryAsync(database, "INSERT INTO estat_schema (version, name) VALUES (99, 'later')");
        var newer = await Assert.ThrowsAsync<DatabaseUnfitException>(() => PrepareAsync(database));
        Assert.Contains("99", newer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_of_another_encoding_is_refused()
    {
        await postgres.Server.QueryAsync("postgres", "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
        var error = await Assert.ThrowsAsync<DatabaseUnfitException>(() => PrepareAsync("latin"));
        Assert.Contains("LATIN1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Days_have_partitions_unless_their_rows_are_in_the_default_one_or_they_are_far_away()
    {
        var database = await postgres.Server.CreateDatabaseAsync();
        await PrepareAsync(database);
        var now = DateTimeOffset.UtcNow;
        var day = DayPartitions.DayOf(now.ToUnixTimeMilliseconds());
        await postgres.Server.QueryAsync(
            database,
            "INSERT INTO messages (id, topic, \"partition\", \"offset\", \"timestamp\") "
            + $"VALUES (gen_random_uuid(), 't', 0, 0, '{now.AddDays(-1):O}')");
        await using var connection = new NpgsqlConnection(postgres.Server.ConnectionString(database));
        await connection.OpenAsync();
        var days = new DayPartitions(TimeProvider.System);
        await days.EnsureAsync(connection, [day, day - 1, day + 300, day - 3000], default);
        await days.EnsureAsync(connection, [day, day - 1], default);
        Assert.Equal(
            $"messages_d{now:yyyyMMdd}\nmessages_default",
            await postgres.Server.QueryAsync(
                database,
                "SELECT relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'messages'::regclass ORDER BY relname"));
    }

    // Each table costs some locks, and the server has room for a few hundred here.
    [Fact]
    public async Task Many_days_are_dropped_with_few_locks_at_a_time()
    {
        Assert.SkipUnless(PostgresServer.Available(out var reason), reason);
        await using var server = await PostgresServer.StartAsync("max_locks_per_transaction=10", "max_connections=10");
        var database = await server.CreateDatabaseAsync();
        await using var connection = new NpgsqlConnection(server.ConnectionString(database));
        await connection.OpenAsync();
        await TopicsSchema.PrepareAsync(connection, true, default);
        var today = DayPartitions.DayOf(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        var days = new DayPartitions(TimeProvider.System);
        await days.EnsureAsync(connection, Enumerable.Range(0, 40).Select(day => today - day), default);
        Assert.True(await days.DropAsync(connection, TimeSpan.FromDays(2), default));
        Assert.Equal("12", await server.QueryAsync(database, "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relname ~ '_d20'"));
    }

    [Fact]
    public async Task An_id_holds_its_time_and_depends_on_its_position()
    {
        await Task.CompletedTask;
        var id = MessageId.Of(new("t", 1, 2), 1_796_040_000_123);
        Assert.Equal(id, MessageId.Of(new("t", 1, 2), 1_796_040_000_123));
        Assert.Equal(1_796_040_000_123, MessageId.TimeOf(id));
        Assert.Equal('8', id.ToString()[14]);
        Assert.Contains(id.ToString()[19], "89ab");
        Assert.Equal(4, new[] { id, MessageId.Of(new("u", 1, 2), 1_796_040_000_123), MessageId.Of(new("t", 2, 2), 1_796_040_000_123),
            MessageId.Of(new("t", 1, 3), 1_796_040_000_123) }.Distinct().Count());
        Assert.Null(MessageId.TimeOf(Guid.NewGuid()));
    }

    [Theory]
    [InlineData("postgres://u%40x:p%3Aw@db.example:5433/topics?sslmode=verify-full&connect_timeout=7", "db.example|5433|u@x|p:w|topics|VerifyFull|7")]
    [InlineData("postgresql://localhost", "localhost|5432||||Prefer|15")]
    [InlineData("Host=h;Username=u;Database=d", "h|5432|u||d|Prefer|15")]
    [InlineData("postgres://u@[::1]:99/d", "::1|99|u||d|Prefer|15")]
    public void An_address_is_a_url_or_a_connection_string(string text, string expected)
    {
        var address = DatabaseAddress.Read(new TopicsOptions { Database = text })!;
        Assert.Equal(
            expected, $"{address.Host}|{address.Port}|{address.Username}|{address.Password}|{address.Database}|{address.SslMode}|{address.Timeout}");
    }

    [Theory]
    [InlineData("postgres://u:secret@h:port/d")]
    [InlineData("Host=h;Nonsense=secret")]
    [InlineData("Database=secret")]
    [InlineData("postgres://u:secret/x@h/d")]
    [InlineData("postgres://u:x/secret@h:5432?port=secret")]
    public void An_address_that_cannot_be_read_is_said_without_its_password(string text) => Assert.DoesNotContain(
        "secret",
        Assert.Throws<OptionException>(() => DatabaseAddress.Read(new TopicsOptions { Database = text })).Message,
        StringComparison.Ordinal);

    private async Task PrepareAsync(string database, bool migrate = true)
    {
        await using var connection = new NpgsqlConnection(postgres.Server.ConnectionString(database));
        await connection.OpenAsync();
        await TopicsSchema.PrepareAsync(connection, migrate, default);
    }
}
