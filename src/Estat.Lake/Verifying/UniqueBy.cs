// What makes two events the same.
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Estat.Lake.Lines;

namespace Estat.Lake.Verifying;

/// <summary>Hashes the part of an event that is to be unique.</summary>
internal sealed class UniqueBy
{
    private readonly JsonPath? _path;

    private UniqueBy(string text, JsonPath? path)
    {
        Text = text;
        _path = path;
    }

    /// <summary>What it takes, for messages.</summary>
    internal const string Takes = "line, id, body, or a JSON path into the body such as $.event_id";

    /// <summary>As it was written.</summary>
    internal string Text { get; }

    /// <summary>Null when the text is none.</summary>
    internal static UniqueBy? TryParse(string text) => text switch
    {
        "line" or "id" or "body" => new UniqueBy(text, null),
        _ => JsonPath.TryParse(text) is { } path ? new UniqueBy(text, path) : null,
    };

    /// <summary>
    /// The first 128 bits of SHA-256. With <c>id</c>, of id and body: the events of one batch request share its Idempotency-Key. Null when the event
    /// lacks it.
    /// </summary>
    internal UInt128? HashOf(ReadOnlySpan<byte> line, StoredLine read) => Text switch
    {
        "line" => Hash(line),
        "body" => Hash(read.Body),
        "id" => read.Id is { } id ? Hash([.. Encoding.UTF8.GetBytes(id), 0, .. read.Body]) : null,
        _ => _path!.ValueIn(read.Body) is { } value ? Hash(Encoding.UTF8.GetBytes(value)) : null,
    };

    internal static UInt128 Hash(ReadOnlySpan<byte> bytes)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        return BinaryPrimitives.ReadUInt128BigEndian(hash);
    }
}
