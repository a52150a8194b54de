// What the pages of topics answer, as far as the command line reads it; --json prints the rest as it came.
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Estat.Cli.Topics;

/// <summary>What GET /admin/topics answers.</summary>
internal sealed record TopicsAnswer
{
    /// <summary>By name.</summary>
    public required IReadOnlyList<TopicAnswer> Topics { get; init; }

    /// <summary>Whether PostgreSQL is there.</summary>
    public required DatabaseAnswer Database { get; init; }

    /// <summary>Where messages wait.</summary>
    public required LogAnswer Log { get; init; }

    /// <summary>Who writes them to PostgreSQL; null: this node does not.</summary>
    public SinkAnswer? Sink { get; init; }
}

/// <summary>A topic.</summary>
internal sealed record TopicAnswer
{
    /// <summary>Its name.</summary>
    public required string TopicName { get; init; }

    /// <summary>From 0.</summary>
    public required IReadOnlyList<PartitionAnswer> Partitions { get; init; }

    /// <summary>Messages that wait; null while nobody knows.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? Lag { get; init; }

    /// <summary>Messages a second; null while nobody knows.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public double? Rate { get; init; }

    /// <summary>How long its messages are kept.</summary>
    public required string Retention { get; init; }

    /// <summary>Whether that is TOPICS_RETENTION.</summary>
    public bool RetentionIsDefault { get; init; }

    /// <summary>Where its partitions became more.</summary>
    public required IReadOnlyList<CutAnswer> Cuts { get; init; }

    /// <summary>Open ones.</summary>
    public required LettersAnswer DeadLetters { get; init; }

    /// <summary>What else the node says.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Rest { get; set; }
}

/// <summary>A partition.</summary>
internal sealed record PartitionAnswer
{
    /// <summary>Which.</summary>
    public int Partition { get; init; }

    /// <summary>The oldest offset that can be read.</summary>
    public required string StartOffset { get; init; }

    /// <summary>The offset of the next message.</summary>
    public required string EndOffset { get; init; }

    /// <summary>Where the sink goes on; null while nobody knows.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? StoredOffset { get; init; }

    /// <summary>Messages that wait; null while nobody knows.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? Lag { get; init; }
}

/// <summary>Where a topic's partitions became more.</summary>
internal sealed record CutAnswer
{
    /// <summary>When.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>Partitions since then.</summary>
    public int Partitions { get; init; }

    /// <summary>The end of each older partition then.</summary>
    public required IReadOnlyList<string> Offsets { get; init; }
}

/// <summary>Open dead letters by kind; null while nobody knows.</summary>
internal sealed record LettersAnswer
{
    /// <summary>Messages that cannot be stored.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? Message { get; init; }

    /// <summary>Typed rows that cannot be stored.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? Typed { get; init; }

    /// <summary>Messages behind one of them.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public long? Held { get; init; }
}

/// <summary>PostgreSQL.</summary>
internal sealed record DatabaseAnswer
{
    /// <summary>there, away or not-set.</summary>
    public required string State { get; init; }

    /// <summary>Where it is.</summary>
    public string? Address { get; init; }

    /// <summary>Why it is away.</summary>
    public string? Why { get; init; }
}

/// <summary>The log.</summary>
internal sealed record LogAnswer
{
    /// <summary>Tells it from others; null while the node does not know it yet.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public required string? Id { get; init; }

    /// <summary>Where it is.</summary>
    public required string Description { get; init; }

    /// <summary>Bytes on disk.</summary>
    public long? Bytes { get; init; }

    /// <summary>TOPICS_MAX_SIZE_BYTES.</summary>
    public long? MaxBytes { get; init; }

    /// <summary>What keeps the oldest messages.</summary>
    public PinAnswer? Pin { get; init; }

    /// <summary>Why it takes no messages.</summary>
    public string? Fault { get; init; }
}

/// <summary>What keeps the oldest messages.</summary>
internal sealed record PinAnswer
{
    /// <summary>Whose they are; null when nothing of a topic keeps them.</summary>
    public required string? Topic { get; init; }

    /// <summary>not-stored, retention or idempotency-keys.</summary>
    public required string Why { get; init; }
}

/// <summary>The sink.</summary>
internal sealed record SinkAnswer
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>running, waiting, paused or stopped.</summary>
    public required string State { get; init; }

    /// <summary>Since when.</summary>
    public DateTimeOffset Since { get; init; }

    /// <summary>Why it does not run.</summary>
    public string? Why { get; init; }

    /// <summary>The message that it cannot get past.</summary>
    public PinnedAnswer? Pinned { get; init; }

    /// <summary>Why partitions of days cannot be made or dropped.</summary>
    public string? ChoreFault { get; init; }
}

/// <summary>A message that the sink cannot get past.</summary>
internal sealed record PinnedAnswer
{
    /// <summary>Its topic.</summary>
    public required string Topic { get; init; }

    /// <summary>Its partition.</summary>
    public int Partition { get; init; }

    /// <summary>Its offset.</summary>
    public required string Offset { get; init; }

    /// <summary>What the database says to it.</summary>
    public required string Error { get; init; }
}

/// <summary>An answer about the sink alone.</summary>
internal sealed record SinkOrderAnswer
{
    /// <summary>The sink.</summary>
    public required SinkAnswer Sink { get; init; }
}

/// <summary>What a reset does.</summary>
internal sealed record ResetAnswer
{
    /// <summary>Whether nothing was changed.</summary>
    public bool DryRun { get; init; }

    /// <summary>Messages that are read again.</summary>
    public long Again { get; init; }

    /// <summary>Messages that are passed over.</summary>
    public long Skipped { get; init; }

    /// <summary>Each partition.</summary>
    public required IReadOnlyList<ResetStepAnswer> Partitions { get; init; }
}

/// <summary>What adopting did.</summary>
internal sealed record AdoptAnswer
{
    /// <summary>The log's id.</summary>
    public required string LogId { get; init; }

    /// <summary>Each partition that changed.</summary>
    public required IReadOnlyList<ResetStepAnswer> Partitions { get; init; }
}

/// <summary>A partition of a reset.</summary>
internal sealed record ResetStepAnswer
{
    /// <summary>Its topic.</summary>
    public required string Topic { get; init; }

    /// <summary>Which.</summary>
    public int Partition { get; init; }

    /// <summary>Where the sink would have gone on.</summary>
    public required string StoredOffset { get; init; }

    /// <summary>Where it goes on.</summary>
    public required string Target { get; init; }

    /// <summary>Messages that are read again.</summary>
    public long Again { get; init; }

    /// <summary>Messages that are passed over.</summary>
    public long Skipped { get; init; }
}

/// <summary>A page of dead letters.</summary>
internal sealed record DeadLettersAnswer
{
    /// <summary>The newest first.</summary>
    public required IReadOnlyList<DeadLetterAnswer> DeadLetters { get; init; }

    /// <summary>For the next page; null when there is none.</summary>
    public string? Cursor { get; init; }
}

/// <summary>One dead letter.</summary>
internal sealed record DeadLetterOneAnswer
{
    /// <summary>It.</summary>
    public required DeadLetterAnswer DeadLetter { get; init; }
}

/// <summary>A dead letter.</summary>
internal sealed record DeadLetterAnswer
{
    /// <summary>Its number.</summary>
    public long Number { get; init; }

    /// <summary>Its topic.</summary>
    public required string Topic { get; init; }

    /// <summary>Its partition.</summary>
    public int Partition { get; init; }

    /// <summary>Its offset.</summary>
    public required string Offset { get; init; }

    /// <summary>message, typed or held.</summary>
    public required string Kind { get; init; }

    /// <summary>Why, as a code.</summary>
    public required string Reason { get; init; }

    /// <summary>Why, as a sentence.</summary>
    public required string Detail { get; init; }

    /// <summary>open, replayed or discarded.</summary>
    public required string State { get; init; }

    /// <summary>Its key; null without, and where it is no text.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.Never)]
    public string? Key { get; init; }

    /// <summary>Since when.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>Its value's bytes; in lists and without one null.</summary>
    public string? ValueBase64 { get; init; }

    /// <summary>What else the node says.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Rest { get; set; }
}

/// <summary>What became of one dead letter.</summary>
internal sealed record ResolvedAnswer
{
    /// <summary>Its number.</summary>
    public long Number { get; init; }

    /// <summary>replayed or discarded.</summary>
    public required string State { get; init; }

    /// <summary>Messages behind it that were stored.</summary>
    public long Released { get; init; }
}

/// <summary>What became of many dead letters.</summary>
internal sealed record ResolvedManyAnswer
{
    /// <summary>Whether nothing was changed.</summary>
    public bool DryRun { get; init; }

    /// <summary>How many fit.</summary>
    public long Found { get; init; }

    /// <summary>How many are resolved.</summary>
    public long Done { get; init; }

    /// <summary>Messages behind them that were stored.</summary>
    public long Released { get; init; }

    /// <summary>Those that stay as they are.</summary>
    public required IReadOnlyList<RefusedLetterAnswer> Refused { get; init; }

    /// <summary>Goes on with older ones; null when there are none.</summary>
    public string? Cursor { get; init; }
}

/// <summary>A dead letter that stays as it is.</summary>
internal sealed record RefusedLetterAnswer
{
    /// <summary>Its number.</summary>
    public long Number { get; init; }

    /// <summary>Why.</summary>
    public required string Why { get; init; }
}

/// <summary>Generated (de)serialization: no reflection at start-up.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(TopicsAnswer))]
[JsonSerializable(typeof(SinkOrderAnswer))]
[JsonSerializable(typeof(ResetAnswer))]
[JsonSerializable(typeof(AdoptAnswer))]
[JsonSerializable(typeof(DeadLettersAnswer))]
[JsonSerializable(typeof(DeadLetterOneAnswer))]
[JsonSerializable(typeof(ResolvedAnswer))]
[JsonSerializable(typeof(ResolvedManyAnswer))]
internal sealed partial class TopicAnswersJson : JsonSerializerContext
{
    /// <summary>Texts as they are, not as escapes.</summary>
    internal static readonly TopicAnswersJson Readable = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
