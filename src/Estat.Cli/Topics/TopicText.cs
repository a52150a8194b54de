// Topics in words.
using System.Globalization;
using System.Text.Json;
using Estat.Cli.Frame;

namespace Estat.Cli.Topics;

/// <summary>As list and show have it.</summary>
internal static class TopicText
{
    /// <summary>A count; <c>?</c> while nobody knows.</summary>
    internal static string Count(long? number) => number is { } known ? Words.Count(known) : "?";

    /// <summary>Messages a second.</summary>
    internal static string Rate(double? rate) => rate?.ToString("0.#", CultureInfo.InvariantCulture) ?? "?";

    /// <summary>Open dead letters, of all kinds.</summary>
    internal static string Letters(LettersAnswer letters) => Count(letters.Message + letters.Typed + letters.Held);

    /// <summary>The sink in one line.</summary>
    internal static string Sink(SinkAnswer? sink) => sink is null ? "none on this node (TOPICS_SINK=false)"
        : $"{Shell.Printable(sink.Name)}, {Shell.Printable(sink.State)} since {Words.Moment(sink.Since)}"
            + (sink.Why is { } why ? $": {Shell.Printable(why)}" : "");

    /// <summary>The database in one line.</summary>
    internal static string Database(DatabaseAnswer database) => database.State switch
    {
        "there" => $"{Shell.Printable(database.Address ?? "")}, answers",
        "away" => $"{Shell.Printable(database.Address ?? "")}, does not answer: {Shell.Printable(database.Why ?? "")}. Messages wait in the log",
        _ => "none (TOPICS_DATABASE is not set)",
    };

    /// <summary>Prints the sink after an order.</summary>
    internal static void Print(Shell shell, SinkAnswer sink, bool asJson)
    {
        shell.Say(asJson ? JsonSerializer.Serialize(sink, TopicAnswersJson.Readable.SinkAnswer) : $"sink      {Sink(sink)}");
        if (!asJson && sink.Pinned is { } pinned)
        {
            shell.Say($"pinned    {Position(pinned)}: {Shell.Printable(pinned.Error)}");
        }

        if (!asJson && sink.ChoreFault is { } fault)
        {
            shell.Say($"days      {Chores(fault)}");
        }
    }

    /// <summary>What the sink could not do beside storing.</summary>
    internal static string Chores(string fault) =>
        $"partitions of days cannot be made or dropped: {Shell.Printable(fault)}. Messages are stored all the same; it is tried again";

    /// <summary>Where a pinned message is.</summary>
    internal static string Position(PinnedAnswer pinned) =>
        string.Create(CultureInfo.InvariantCulture, $"{Shell.Printable(pinned.Topic)}/{pinned.Partition}@{Shell.Printable(pinned.Offset)}");

    /// <summary>Prints a topic.</summary>
    internal static void Print(Shell shell, TopicAnswer topic, bool asJson)
    {
        if (asJson)
        {
            shell.Say(JsonSerializer.Serialize(topic, TopicAnswersJson.Readable.TopicAnswer));
            return;
        }

        shell.Say($"topic     {Shell.Printable(topic.TopicName)}");
        shell.Say($"retention {Shell.Printable(topic.Retention)}{(topic.RetentionIsDefault ? " (TOPICS_RETENTION)" : "")}");
        shell.Say($"rate      {Rate(topic.Rate)} messages/s");
        shell.Say($"lag       {Count(topic.Lag)} messages");
        LettersAnswer dead = topic.DeadLetters;
        shell.Say($"dead      {Count(dead.Message)} messages, {Count(dead.Typed)} typed rows, {Count(dead.Held)} held");
        foreach (CutAnswer cut in topic.Cuts)
        {
            string offsets = Shell.Printable(string.Join(", ", cut.Offsets));
            shell.Say($"cut       {Words.Moment(cut.At)}: {cut.Partitions} partitions, behind offsets {offsets}");
        }

        shell.Rows(
            ["PARTITION", "START", "END", "STORED", "LAG"],
            topic.Partitions.Select(partition => (IReadOnlyList<string>)
            [
                partition.Partition.ToString(CultureInfo.InvariantCulture), partition.StartOffset, partition.EndOffset, partition.StoredOffset ?? "?",
                Count(partition.Lag),
            ]));
    }
}
