// A sink over a log in memory and a database of its own.
using Estat.Topics.Log;
using Estat.Topics.Options;
using Estat.Topics.Sink;
using Npgsql;

namespace Estat.Topics.Tests.Sink;

internal sealed class SinkRig : IAsyncDisposable
{
    internal static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly PostgresServer _server;

    private SinkRig(PostgresServer server, string database, MemoryLog log)
    {
        (_server, Database, Log) = (server, database, log);
    }

    internal string Database { get; }

    internal MemoryLog Log { get; }

    internal LogLines Lines { get; } = new();

    internal TopicsOptions Options { get; set; } = new() { Takeover = TimeSpan.FromSeconds(1) };

    internal TimeProvider Time { get; set; } = TimeProvider.System;

    internal SinkLoop Sink { get; private set; } = null!;

    internal static async Task<SinkRig> CreateAsync(PostgresServer server, MemoryLog log) => new(server, await server.CreateDatabaseAsync(), log);

    /// <summary>What the sinks' addresses have that others have not.</summary>
    internal Action<NpgsqlConnectionStringBuilder> Alter { get; set; } = static _ => { };

    /// <summary>One that runs, with its tables made and SQL of the test in them.</summary>
    internal static async Task<SinkRig> PreparedAsync(
        PostgresServer server, string topic, string sql, int? port, Func<TopicsOptions, TopicsOptions>? options)
    {
        var rig = await CreateAsync(server, new MemoryLog().Topic(topic));
        rig.Options = options?.Invoke(rig.Options) ?? rig.Options;
        rig.Start(port);
        await rig.DrainAsync();
        await rig.StopAsync();
        await rig.QueryAsync(sql);
        rig.Start(port);
        await rig.DrainAsync();
        return rig;
    }

    internal NpgsqlConnectionStringBuilder Address(int? port = null)
    {
        var address = new NpgsqlConnectionStringBuilder(_server.ConnectionString(Database, port));
        Alter(address);
        return address;
    }

    /// <summary>Another sink beside the one that there is.</summary>
    internal SinkLoop New(int? port = null, ITopicLog? log = null)
    {
        var sink = new SinkLoop(log ?? Log, Address(port), Options, Time, Lines);
        sink.Start();
        return sink;
    }

    internal SinkLoop Start(int? port = null) => Sink = New(port);

    internal async Task StopAsync() => await Sink.DisposeAsync();

    /// <summary>Lets the sink go on at an offset, in all partitions of a topic.</summary>
    internal async Task ResetAsync(string topic, long offset)
    {
        await using var source = NpgsqlDataSource.Create(Address());
        var offsets = new SinkOffsets(source, Log, Options);
        await offsets.ResetAsync(await offsets.PlanAsync(topic, (_, _) => new(offset), default), default);
        Sink.Look();
    }

    internal Task<string> QueryAsync(string sql) => _server.QueryAsync(Database, sql);

    internal async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(_server.ConnectionString(Database));
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>Waits until the sink has stored everything that is in the log.</summary>
    internal Task DrainAsync(SinkLoop? sink = null) => Wait.UntilAsync(
        () =>
        {
            var progress = (sink ?? Sink).Progress;
            return progress.Count > 0 && progress.All(part => part.Lag == 0) && (sink ?? Sink).State.Activity == SinkActivity.Running;
        },
        Limit,
        "the sink to store everything",
        () => $"{(sink ?? Sink).State}; {string.Join(", ", (sink ?? Sink).Progress)}\n{string.Join('\n', Lines.Lines)}");

    internal Task UntilAsync(SinkActivity activity, SinkLoop? sink = null) => Wait.UntilAsync(
        () => (sink ?? Sink).State.Activity == activity, Limit, $"the sink to be {activity}",
        () => $"{(sink ?? Sink).State}\n{string.Join('\n', Lines.Lines)}");

    /// <summary>Each message once, in the order of its partition, and the count in topic_status.</summary>
    internal async Task AssertStoredAsync(string topic, long messages)
    {
        Assert.Equal($"{messages}|{messages}", await QueryAsync(
            $"SELECT count(*), count(DISTINCT (\"partition\", \"offset\")) FROM messages WHERE topic = '{topic}'"));
        Assert.Equal($"{messages}", await QueryAsync($"SELECT message_count FROM topic_status WHERE topic_name = '{topic}'"));
    }

    public async ValueTask DisposeAsync()
    {
        if (Sink is not null)
        {
            await Sink.DisposeAsync();
        }
    }
}
