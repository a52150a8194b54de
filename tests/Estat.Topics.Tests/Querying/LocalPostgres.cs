// A PostgreSQL of a test class, which may stop it.
using System.Globalization;
using Estat.Topics.Options;
using Npgsql;

namespace Estat.Topics.Tests.Querying;

/// <summary>Started once for all tests of a class, with the tables of 001-tables.sql and a partition for each of ten days.</summary>
public sealed class LocalPostgres : IAsyncLifetime
{
    /// <summary>The first of the days.</summary>
    internal static readonly DateTime FirstDay = new(2026, 3, 1, 0, 0, 0, DateTimeKind.Utc);

    private const int Days = 10;
    private static readonly string[] Tables = ["messages", "user_activities", "system_metrics", "error_logs"];
    private PostgresServer? _server;

    internal string ConnectionString => $"Host=127.0.0.1;Port={Server.Port};Username=postgres;Database=postgres;Include Error Detail=true";

    private PostgresServer Server
    {
        get
        {
            Assert.SkipUnless(PostgresServer.Available(out string reason), reason);
            return _server!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (!PostgresServer.Available(out _))
        {
            return;
        }

        _server = await PostgresServer.StartAsync("max_wal_size=4GB", "synchronous_commit=off");
        using var reader = new StreamReader(typeof(TopicsOptions).Assembly.GetManifestResourceStream("001-tables.sql")!);
        await RunAsync(await reader.ReadToEndAsync());
        foreach (string table in Tables)
        {
            for (int day = 0; day < Days; day++)
            {
                await RunAsync(string.Create(
                    CultureInfo.InvariantCulture,
                    $"CREATE TABLE {table}_d{day} PARTITION OF {table} FOR VALUES "
                    + $"FROM ('{FirstDay.AddDays(day):O}') TO ('{FirstDay.AddDays(day + 1):O}')"));
            }
        }
    }

    public ValueTask DisposeAsync() => _server?.DisposeAsync() ?? default;

    internal Task StartAsync() => Server.StartAgainAsync();

    internal Task StopAsync() => Server.StopAsync();

    internal async Task RunAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(ConnectionString + ";Pooling=false;Command Timeout=120");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Empties all tables.</summary>
    internal Task EmptyAsync() =>
        RunAsync("TRUNCATE messages, user_activities, system_metrics, error_logs, topic_status, consumer_offsets");
}
