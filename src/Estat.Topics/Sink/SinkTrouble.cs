// What stands in the sink's way, so that nobody looks for the fault in the wrong place.
using System.Net.Sockets;
using Estat.Topics.Log;
using Estat.Topics.Postgres;
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>What the sink waits for.</summary>
internal enum SinkTrouble
{
    /// <summary>PostgreSQL.</summary>
    Database,

    /// <summary>The log cannot be read.</summary>
    Log,

    /// <summary>With Kafka: another node has the partitions now.</summary>
    HandOver,

    /// <summary>An error that nobody expected.</summary>
    Defect,
}

/// <summary>Another node has taken partitions over, and the group decides whose they are.</summary>
internal sealed class PartitionsLostException(string message) : Exception(message);

/// <summary>Tells them apart.</summary>
internal static class SinkTroubles
{
    /// <summary>What an error of an attempt to store is.</summary>
    /// <param name="error">The error.</param>
    /// <param name="isBroken">Whether the connection is broken: then any error comes from that.</param>
    internal static SinkTrouble OfAttempt(Exception error, bool isBroken) => error switch
    {
        TopicLogException => SinkTrouble.Log,
        NpgsqlException or DatabaseUnfitException or AllRefusedException => SinkTrouble.Database,
        SocketException or TimeoutException or IOException => SinkTrouble.Database,
        _ => isBroken ? SinkTrouble.Database : SinkTrouble.Defect,
    };

    /// <summary>What an error beside the attempts is: the database is not asked there.</summary>
    /// <param name="error">The error.</param>
    internal static SinkTrouble OfFeed(Exception error) => error switch
    {
        PartitionsLostException => SinkTrouble.HandOver,
        IOException => SinkTrouble.Log,
        _ => SinkTrouble.Defect,
    };

    /// <summary>What it waits for, in words for people.</summary>
    /// <param name="trouble">One of them.</param>
    internal static string NameOf(SinkTrouble trouble) => trouble switch
    {
        SinkTrouble.Database => "the database",
        SinkTrouble.Log => "the log",
        SinkTrouble.HandOver => "its partitions",
        _ => "an error that it does not know",
    };
}
