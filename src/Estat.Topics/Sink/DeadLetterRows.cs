// Dead letters' rows.
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Estat.Topics.Sink;

/// <summary>Writes them.</summary>
internal static class DeadLetterRows
{
    private const int LongestDetail = 1_000;

    private const string Sql = """
        INSERT INTO dead_letters (sink, id, topic, "partition", "offset", kind, reason, detail, key, headers, value, "timestamp")
        SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::int[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::bytea[], $10::bytea[],
            $11::bytea[], $12::timestamptz[])
        ON CONFLICT DO NOTHING RETURNING kind
        """;

    /// <summary>The statement that adds new ones; returns the kinds of those that were not there.</summary>
    /// <param name="sink">The sink's name.</param>
    /// <param name="letters">At least one.</param>
    internal static NpgsqlBatchCommand Insert(string sink, IReadOnlyList<DeadLetter> letters) => new(Sql)
    {
        Parameters =
        {
            new() { Value = sink }, new() { Value = letters.Select(letter => letter.Id).ToArray() },
            new() { Value = letters.Select(letter => letter.At.Topic).ToArray() },
            new() { Value = letters.Select(letter => letter.At.Partition).ToArray() },
            new() { Value = letters.Select(letter => letter.At.Offset).ToArray() },
            new() { Value = letters.Select(letter => DeadLetter.NameOf(letter.Kind)).ToArray() },
            new() { Value = letters.Select(letter => letter.Why.Code).ToArray() },
            new() { Value = letters.Select(letter => Clean(letter.Why.Detail)).ToArray() },
            Bytes(letters.Select(letter => letter.Content.Key)), Bytes(letters.Select(letter => letter.Content.Headers)),
            Bytes(letters.Select(letter => letter.Content.Value)),
            new() { Value = letters.Select(letter => DateTimeOffset.FromUnixTimeMilliseconds(letter.Time).UtcDateTime).ToArray() },
        },
    };

    /// <summary>A detail that a text column takes, not too long.</summary>
    /// <param name="detail">A sentence, perhaps with what the database said in it.</param>
    internal static string Clean(string detail)
    {
        var text = new StringBuilder(Math.Min(detail.Length, LongestDetail));
        // A surrogate alone, which no text column takes, comes as U+FFFD.
        foreach (Rune rune in detail.EnumerateRunes())
        {
            if (text.Length + rune.Utf16SequenceLength > LongestDetail)
            {
                break;
            }

            if (rune.Value != 0)
            {
                text.Append(rune.ToString());
            }
        }

        return text.ToString();
    }

    private static NpgsqlParameter Bytes(IEnumerable<byte[]?> values) =>
        new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea };
}
