// `estat topics …` and `estat dead-letters …`.
namespace Estat.Cli.Topics;

/// <summary>The verbs below them.</summary>
internal static class TopicsVerb
{
    internal static Command Create() =>
        new("topics", "Lists, makes and changes topics of a node that serves them, and steers the sink into PostgreSQL")
    {
        TopicsList.Create(),
        TopicsList.Show(),
        TopicsPut.Create(),
        TopicsPut.Alter(),
        SinkOrders.Reset(),
        SinkOrders.Pause(),
        SinkOrders.Resume(),
        SinkOrders.Adopt(),
        SinkOrders.GiveUp(),
    };

    internal static Command Letters() => new("dead-letters", "Shows, mends, replays and discards messages that PostgreSQL cannot take as they are")
    {
        LettersList.Create(),
        LettersList.Show(),
        LettersResolve.Replay(),
        LettersResolve.Discard(),
    };

    /// <summary>The argument of most of them.</summary>
    internal static Argument<string> Topic() => new("topic") { Description = "The topic's name" };
}
