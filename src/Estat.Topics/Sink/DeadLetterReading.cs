// Reads rows of dead_letters.
using Npgsql;

namespace Estat.Topics.Sink;

/// <summary>One way to read them.</summary>
internal static class DeadLetterReading
{
    /// <summary>What <see cref="ReadAsync"/> reads.</summary>
    internal const string Columns = """
        number, id, topic, "partition", "offset", "timestamp", kind, reason, detail, key, headers, value, state, created_at, resolved_at
        """;

    /// <summary>The same without the value's bytes.</summary>
    internal const string ColumnsOfList = """
        number, id, topic, "partition", "offset", "timestamp", kind, reason, detail, key, headers, NULL::bytea, state, created_at, resolved_at
        """;

    /// <summary>Reads all rows of an answer.</summary>
    /// <param name="command">Selects the columns.</param>
    /// <param name="letters">Where to.</param>
    /// <param name="cancellationToken">Ends it.</param>
    internal static async Task ReadAsync(NpgsqlCommand command, List<StoredDeadLetter> letters, CancellationToken cancellationToken)
    {
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            letters.Add(new(
                reader.GetInt64(0), reader.GetGuid(1), new(reader.GetString(2), reader.GetInt32(3), reader.GetInt64(4)),
                reader.GetFieldValue<DateTimeOffset>(5), DeadLetter.KindOf(reader.GetString(6)), new(reader.GetString(7), reader.GetString(8)),
                new(Bytes(reader, 9), Bytes(reader, 10)!, Bytes(reader, 11)), reader.GetString(12), reader.GetFieldValue<DateTimeOffset>(13),
                reader.IsDBNull(14) ? null : reader.GetFieldValue<DateTimeOffset>(14)));
        }
    }

    private static byte[]? Bytes(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetFieldValue<byte[]>(column);
}
