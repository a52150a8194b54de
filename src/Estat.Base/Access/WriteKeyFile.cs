// WRITE_KEYS_FILE and WRITE_KEYS: texts to write keys, and back.
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Estat.Base.Options;

namespace Estat.Base.Access;

/// <summary>The text cannot be used as it is; the message says where it is wrong and what would be right.</summary>
public sealed class WriteKeyException(string message) : Exception(message);

/// <summary>
/// <c>{"keys":[{"name":"shop","sha256":"…","origins":["https://shop.example"],"rate":100,"burst":500,"daily_quota":1000000,"prefix":"raw_shop"}]}</c>. A field that is
/// </summary>
public static class WriteKeyFile
{
    /// <summary>Keys in a file.</summary>
    public const int MostKeys = 10_000;

    /// <summary>Largest file, bytes.</summary>
    public const int LongestFile = 16 << 20;

    private const int MostHashes = 4;
    private const int MostOrigins = 100;
    private const int LongestName = 64;
    private const int LongestNote = 1000;
    private const double LeastRate = 0.01;
    private const double MostRate = 1_000_000;
    private const int MostTopics = 100;
    private const int LongestTopic = 249; // as in Kafka
    private const string Fields = "name, sha256, origins, rate, burst, daily_quota, prefix, read, topics, disabled, expires, created and note";

    private static readonly JsonWriterOptions Readable = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Reads the content of a file.</summary>
    /// <param name="json">The content.</param>
    /// <param name="prefixes">What prefixes are checked against; null checks them by themselves alone.</param>
    /// <exception cref="WriteKeyException">It cannot be used.</exception>
    public static IReadOnlyList<WriteKey> Parse(ReadOnlyMemory<byte> json, KeyPrefixes? prefixes)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement is not { ValueKind: JsonValueKind.Object } root || !root.TryGetProperty("keys", out JsonElement list)
                || list.ValueKind != JsonValueKind.Array
                || root.EnumerateObject().Any(field => field.Name != "keys"))
            {
                throw new WriteKeyException("must be an object with one field, keys, which is a list: {\"keys\":[…]}");
            }

            WriteKey[] keys = [.. list.EnumerateArray().Take(MostKeys + 1).Select((element, index) => Read(element, index, prefixes))];
            Check(keys);
            return keys;
        }
        // the latter: a text that is no UTF-8, or holds half of a surrogate pair
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new WriteKeyException($"not readable as JSON ({error.Message.TrimEnd('.')})");
        }
    }

    /// <summary>Reads <c>WRITE_KEYS</c>: <c>name=key</c> or <c>name=sha256</c>, several separated by commas.</summary>
    /// <exception cref="WriteKeyException">It cannot be used; the message does not repeat keys.</exception>
    public static IReadOnlyList<WriteKey> ParseList(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var keys = new List<WriteKey>();
        foreach (string item in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = item.IndexOf('=', StringComparison.Ordinal);
            string name = equals < 0 ? "" : item[..equals].Trim();
            string key = item[(equals + 1)..].Trim();
            if (!IsName(name))
            {
                throw new WriteKeyException($"key {keys.Count + 1} must be name=key, with a name of 1 to {LongestName} letters, digits, - and _");
            }

            if ((KeyHash.Parse(key) ?? HashOf(key)) is not { } hash)
            {
                throw new WriteKeyException($"{name} must have a key of {KeyHash.ShortestKey} to {KeyHash.LongestKey} random characters (estat keys "
                    + "new makes one), or its SHA-256 in hex");
            }

            keys.Add(new WriteKey { Name = name, Hashes = [hash] });
        }

        Check(keys);
        return keys;
    }

    /// <summary>The rules that hold between keys, also of file and list together.</summary>
    /// <exception cref="WriteKeyException">They do not hold.</exception>
    public static void Check(IReadOnlyList<WriteKey> keys)
    {
        ArgumentNullException.ThrowIfNull(keys);
        if (keys.Count > MostKeys)
        {
            throw new WriteKeyException($"may hold at most {MostKeys} keys");
        }

        if (keys.GroupBy(key => key.Name, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw new WriteKeyException(
                $"two keys have the name {twice.Key}; to rotate a key, give one name two hashes: \"sha256\":[\"…\",\"…\"]");
        }

        if (keys.SelectMany(key => key.Hashes, (key, hash) => (key.Name, hash)).GroupBy(pair => pair.hash)
            .FirstOrDefault(group => group.Count() > 1) is { } same)
        {
            throw new WriteKeyException($"{string.Join(" and ", same.Select(pair => pair.Name))} have the same sha256; give each its own key");
        }

        if (keys.Select(key => key.Prefix).Where(prefix => prefix is not null).Distinct().Count() is var prefixes && prefixes > KeyPrefix.Most)
        {
            throw new WriteKeyException($"the keys have {prefixes} prefixes; at most {KeyPrefix.Most} are allowed, because each has batches of its "
                + "own");
        }
    }

    /// <summary>Writes what <see cref="Parse"/> reads.</summary>
    public static void Write(Stream stream, IReadOnlyList<WriteKey> keys)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(keys);
        using (var json = new Utf8JsonWriter(stream, Readable))
        {
            json.WriteStartObject();
            json.WriteStartArray("keys");
            foreach (WriteKey key in keys)
            {
                Write(json, key);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
    }

    private static void Write(Utf8JsonWriter json, WriteKey key)
    {
        json.WriteStartObject();
        json.WriteString("name", key.Name);
        if (key.Hashes is [var only])
        {
            json.WriteString("sha256", only.ToString());
        }
        else
        {
            WriteList(json, "sha256", key.Hashes.Select(hash => hash.ToString()));
        }

        if (key.Origins is not null)
        {
            WriteList(json, "origins", key.Origins);
        }

        Write(json, "rate", key.Rate);
        Write(json, "burst", key.Burst);
        Write(json, "daily_quota", key.DailyQuota);
        Write(json, "prefix", key.Prefix);
        if (key.Read)
        {
            json.WriteBoolean("read", true);
        }

        if (key.Topics is not null)
        {
            WriteList(json, "topics", key.Topics);
        }

        if (key.Disabled)
        {
            json.WriteBoolean("disabled", true);
        }

        Write(json, "expires", key.Expires?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        Write(json, "created", key.Created?.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture));
        Write(json, "note", key.Note);
        json.WriteEndObject();
    }

    private static void WriteList(Utf8JsonWriter json, string name, IEnumerable<string> items)
    {
        json.WriteStartArray(name);
        foreach (string item in items)
        {
            json.WriteStringValue(item);
        }

        json.WriteEndArray();
    }

    private static void Write(Utf8JsonWriter json, string name, string? text)
    {
        if (text is not null)
        {
            json.WriteString(name, text);
        }
    }

    private static void Write(Utf8JsonWriter json, string name, double? number)
    {
        if (number is { } value)
        {
            json.WriteNumber(name, value);
        }
    }

    private static KeyHash? HashOf(string key) =>
        key.Length >= KeyHash.ShortestKey && !key.Any(char.IsWhiteSpace) && KeyHash.TryOf(key, out KeyHash hash) ? hash : null;

    private static WriteKey Read(JsonElement element, int index, KeyPrefixes? prefixes)
    {
        string where = $"keys[{index}]";
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new WriteKeyException($"{where}: must be an object such as {{\"name\":\"shop\",\"sha256\":\"…\"}}");
        }

        string? name = null;
        IReadOnlyList<KeyHash>? hashes = null;
        var key = new WriteKey { Name = "", Hashes = [] };
        foreach (JsonProperty field in element.EnumerateObject())
        {
            JsonElement value = field.Value;
            key = field.Name switch
            {
                "name" => key with { Name = name = Text(value) is { } text && IsName(text) ? text
                    : throw Wrong(where, field, $"1 to {LongestName} letters, digits, - and _") },
                "sha256" => key with { Hashes = hashes = Hashes(value)
                    ?? throw Wrong(where, field, $"64 hex digits, or a list of up to {MostHashes} of them (estat keys new makes one)") },
                "origins" => key with { Origins = Origins(value) ?? throw Wrong(
                    where, field, $"a list of origins {PageOrigins.Takes}, {MostOrigins} at most") },
                "rate" => key with { Rate = Number(value, LeastRate, MostRate)
                    ?? throw Wrong(where, field, $"events a second, from {LeastRate.ToString(CultureInfo.InvariantCulture)} to {MostRate}") },
                "burst" => key with { Burst = Number(value, 1, 10 * MostRate)
                    ?? throw Wrong(where, field, $"a number of events from 1 to {10 * MostRate}") },
                "daily_quota" => key with { DailyQuota = Whole(value) ?? throw Wrong(where, field, "a whole number of events a day, at least 1") },
                "prefix" => key with { Prefix = PrefixOf(value, where, field, prefixes) },
                "read" => key with { Read = Flag(value) ?? throw Wrong(where, field, "true or false") },
                "topics" => key with { Topics = Topics(value)
                    ?? throw Wrong(where, field, $"a list of 1 to {MostTopics} names of topics") },
                "disabled" => key with { Disabled = Flag(value) ?? throw Wrong(where, field, "true or false") },
                "expires" => key with { Expires = Time(value) ?? throw Wrong(where, field, "a time such as \"2027-01-31T00:00:00Z\"") },
                "created" => key with { Created = Time(value) ?? throw Wrong(where, field, "a time such as \"2026-01-31T00:00:00Z\"") },
                "note" => key with { Note = Text(value) is { Length: <= LongestNote } note ? note
                    : throw Wrong(where, field, $"a text of at most {LongestNote} characters") },
                _ => throw new WriteKeyException($"{where}: unknown field {field.Name}; the fields are {Fields}"),
            };
            where = name is null ? where : $"keys[{index}] ({name})";
        }

        return name is null || hashes is null ? throw new WriteKeyException($"{where}: needs name and sha256")
            : key.Burst is not null && key.Rate is null ? throw new WriteKeyException($"{where}: burst needs a rate")
            : key;
    }

    private static string? PrefixOf(JsonElement value, string where, JsonProperty field, KeyPrefixes? prefixes)
    {
        string prefix = Text(value) ?? throw Wrong(where, field, KeyPrefix.Takes);
        string? wrong = prefixes is not null ? KeyPrefix.WhyNot(prefix, prefixes) : KeyPrefix.IsValid(prefix) ? null : $"must be {KeyPrefix.Takes}";
        return wrong is not null ? throw new WriteKeyException($"{where}: prefix: {wrong}")
            : prefix == prefixes?.Raw ? null
            : prefix;
    }

    private static WriteKeyException Wrong(string where, JsonProperty field, string takes) => new($"{where}: {field.Name}: must be {takes}");

    private static string? Text(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool? Flag(JsonElement value) =>
        value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;

    private static double? Number(JsonElement value, double least, double most) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= least && number <= most ? number : null;

    private static long? Whole(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) && number >= 1 ? number : null;

    private static DateTimeOffset? Time(JsonElement value) => Text(value) is { } text ? MomentText.TryParse(text) : null;

    private static KeyHash[]? Hashes(JsonElement value)
    {
        string?[] texts = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(Text)] : [Text(value)];
        KeyHash?[] hashes = [.. texts.Select(text => text is null ? null : KeyHash.Parse(text))];
        return hashes.Length is 0 or > MostHashes || hashes.Any(hash => hash is null) ? null : [.. hashes.Select(hash => hash!.Value)];
    }

    private static string[]? Origins(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        string?[] origins = [.. value.EnumerateArray().Select(item => Text(item) is { } text && text != "*" ? PageOrigins.Parse(text) : null)];
        return origins.Length is 0 or > MostOrigins || origins.Any(origin => origin is null) ? null : [.. origins.Select(origin => origin!)];
    }

    private static string[]? Topics(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        string?[] topics = [.. value.EnumerateArray().Select(Text)];
        return topics.Length is 0 or > MostTopics || !topics.All(IsTopic) ? null : [.. topics.Select(topic => topic!)];
    }

    private static bool IsTopic(string? text) =>
        text is { Length: > 0 and <= LongestTopic } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    private static bool IsName(string text) =>
        text.Length is > 0 and <= LongestName && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
