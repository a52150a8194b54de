// Rows for tests of queries.
using System.Buffers.Binary;
using System.Globalization;

namespace Estat.Topics.Tests.Querying;

internal static class Rows
{
    /// <summary>Messages, ten to a second and three to a millisecond's tie, over the days; in four topics.</summary>
    internal static string Messages(int count, int seconds = 1) => string.Create(CultureInfo.InvariantCulture, $"""
        INSERT INTO messages SELECT gen_random_uuid(),
          (ARRAY['user-activities','system-metrics','error-logs','notifications'])[1 + (g / 3) % 4], (g % 3)::int, g / 3,
          CASE WHEN g % 20 = 0 THEN NULL ELSE 'user-' || g * 48271 % 23 END, jsonb_build_object('n', g, 'text', '한국어'),
          jsonb_build_object('h', 'x'),
          timestamptz '2026-03-01Z' + (g / 30) * interval '{seconds} s', timestamptz '2026-03-20Z'
        FROM generate_series(0::bigint, {count - 1}) g;
        INSERT INTO topic_status (topic_name, partition_count, replication_factor, message_count)
        SELECT topic, 3, 1, count(*) FROM messages GROUP BY topic ON CONFLICT DO NOTHING;
        """);

    /// <summary>A UUIDv8 of a time.</summary>
    internal static Guid Id(DateTime time, int number)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, ((ulong)new DateTimeOffset(time).ToUnixTimeMilliseconds() << 16) | 0x8000);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], 0x8000_0000_0000_0000 | (uint)number);
        return new Guid(bytes, bigEndian: true);
    }

    internal static string Error(Guid id, DateTime time, string service, string severity, bool resolved) => string.Create(
        CultureInfo.InvariantCulture,
        $"INSERT INTO error_logs VALUES ('{id}', '{service}', 'Timeout', 'It failed', 'at x\nat y', '{{\"attempt\": 3}}', '{severity}', "
        + $"{resolved}, NULL, '{time:O}', '{time:O}');");
}
