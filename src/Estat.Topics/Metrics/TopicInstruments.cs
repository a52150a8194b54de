// The instruments of Topics.
using System.Diagnostics.Metrics;
using Estat.Base.Metrics;
using Estat.Http.Access;
using Estat.Http.Metrics;
using Estat.Topics.Hosting;
using Estat.Topics.Log;
using Estat.Topics.Querying;
using Estat.Topics.Sink;

namespace Estat.Topics.Metrics;

/// <summary>Everything is read when somebody asks. Labels are topics' names, at most the first 100; the others share one.</summary>
internal sealed class TopicInstruments : IDisposable
{
    private const int MostLabels = 100;
    private const string Rest = "(others)";

    private readonly TopicsEngine _engine;

    /// <param name="engine">Where to read.</param>
    /// <param name="requests">The HTTP requests.</param>
    /// <param name="database">Queries.</param>
    /// <param name="tokens">Whose tokens are valid; null without.</param>
    internal TopicInstruments(TopicsEngine engine, RequestCounters requests, QueryDatabase database, Tokens? tokens)
    {
        _engine = engine;
        Meter = new Meter(EstatActivities.SourceName);
        ObserveLog();
        if (engine.Sink is { } sink)
        {
            ObserveSink(sink);
        }

        if (engine.Desk is { } desk)
        {
            ObserveLedger(desk.Ledger);
        }

        Meter.CreateObservableCounter(
            "estat_topics_http_total", () => requests.Outcomes(("forbidden", requests.Forbidden)),
            description: "HTTP requests to paths below /api, by outcome");
        Gauge("estat_topics_http_in_flight", "HTTP requests to paths below /api that are not answered", () => requests.InFlight);
        Counter("estat_topics_queries_total", "Queries to the database that ended", () => database.Counters.Queries.Value);
        Meter.CreateObservableCounter(
            "estat_topics_query_seconds_total", () => database.Counters.Microseconds.Value / 1e6, "s", "Time that queries took, with waiting for a "
                + "connection");
        Meter.CreateObservableCounter(
            "estat_topics_query_errors_total", () => Enum.GetValues<QueryFault>().Select(fault => new Measurement<long>(
                database.Counters.Faults(fault).Value, new KeyValuePair<string, object?>("error", fault.ToString().ToLowerInvariant()))),
            description: "Queries that ended without an answer");
        Gauge("estat_topics_token_keys_failing", "1 while the keys of users' tokens cannot be had", () => tokens?.AreKeysFailing == true ? 1 : 0);
    }

    /// <summary>The meter.</summary>
    internal Meter Meter { get; }

    /// <inheritdoc/>
    public void Dispose() => Meter.Dispose();

    private void ObserveLog()
    {
        Meter.CreateObservableGauge("estat_topics_produced", ByTopic(topic => topic.Partitions.Sum(partition => partition.End)),
            description: "Messages that the log has taken, over all restarts");
        Meter.CreateObservableGauge("estat_topics_partitions", ByTopic(topic => topic.Partitions.Count), description: "Partitions");
        Gauge("estat_topics_topics", "Topics", () => _engine.Log.Topics.Count);
        Gauge("estat_topics_log_failing", "1 while the log takes no messages", () => _engine.Log.Fault is null ? 0 : 1);
        _engine.Log.Observe(Meter); // its size, its bound and what waits for its disk; or what Kafka says
    }

    private void ObserveSink(SinkLoop sink)
    {
        Meter.CreateObservableGauge("estat_topics_lag", () => Lags(sink), description: "Messages in the log that the sink has not stored");
        Meter.CreateObservableGauge(
            "estat_topics_sink_state", () => Enum.GetValues<SinkActivity>().Select(activity => new Measurement<int>(
                sink.State.Activity == activity ? 1 : 0, new KeyValuePair<string, object?>("state", SinkView.NameOf(activity)))),
            description: "1 for what the sink does now");
        Gauge("estat_topics_sink_pinned", "1 while one message is tried again and again", () => sink.Pinned is null ? 0 : 1);
        Gauge(
            "estat_topics_sink_chores_failing", "1 while partitions of days cannot be made or dropped", () => sink.ChoreFault is null ? 0 : 1);
        Counter("estat_topics_stored_total", "Messages that this process has stored", () => sink.Counters.Messages.Value);
        Counter("estat_topics_typed_total", "Typed rows that this process has stored", () => sink.Counters.Typed.Value);
        Counter("estat_topics_repeated_total", "Messages that a reset brought again and that were stored", () => sink.Counters.Repeated.Value);
        Counter(
            "estat_topics_expired_total", "Messages that the log had deleted before they were stored", () => sink.Counters.Expired.Value);
        Counter(
            "estat_topics_dropped_total", "Messages that were not stored, as TOPICS_KEEP had dropped their day", () => sink.Counters.Dropped.Value);
        Counter("estat_topics_batches_total", "Transactions that were committed", () => sink.Counters.Batches.Value);
        Counter("estat_topics_retries_total", "Attempts that failed and were made again", () => sink.Counters.Retries.Value);
        Counter("estat_topics_bisections_total", "Portions that were refused, and cut to find the row", () => sink.Counters.Bisections.Value);
        Meter.CreateObservableCounter(
            "estat_topics_dead_letters_total", () => Enum.GetValues<DeadLetterKind>().Select(kind => new Measurement<long>(
                sink.Counters.Letters(kind).Value, new KeyValuePair<string, object?>("kind", DeadLetter.NameOf(kind)))),
            description: "New dead letters, by kind");
    }

    private void ObserveLedger(MessageLedger ledger)
    {
        Meter.CreateObservableGauge("estat_topics_messages", () => Places(ledger), description: "Messages by where they are, all of one moment: "
            + "produced = stored + waiting + dead_letters + held + discarded");
        Meter.CreateObservableGauge(
            "estat_topics_dead_letters_open", () => OpenLetters(ledger),
            description: "Open dead letters, by topic and kind; as of the last look into the "
                + "database");
    }

    private static IEnumerable<Measurement<long>> Places(MessageLedger ledger)
    {
        if (ledger.Balance is not { } balance)
        {
            return [];
        }

        (string Place, long Count)[] places =
        [
            ("produced", balance.Produced), ("stored", balance.Stored), ("waiting", balance.Waiting), ("dead_letters", balance.DeadLetters),
            ("held", balance.Held), ("discarded", balance.Discarded),
        ];
        return places.Select(place => new Measurement<long>(place.Count, new KeyValuePair<string, object?>("place", place.Place)));
    }

    private static IEnumerable<Measurement<long>> OpenLetters(MessageLedger ledger) => ledger.Reading is not { } reading ? []
        : Enum.GetValues<DeadLetterKind>().SelectMany(kind => Grouped(
            reading.Open.Where(count => count.Key.Kind == kind).Select(count => (count.Key.Topic, count.Value)),
            new KeyValuePair<string, object?>("kind", DeadLetter.NameOf(kind))));

    private static IEnumerable<Measurement<long>> Lags(SinkLoop sink) => Grouped(
        sink.Progress.GroupBy(partition => partition.Partition.Topic, partition => partition.Lag).Select(topic => (topic.Key, topic.Sum())));

    private Func<IEnumerable<Measurement<long>>> ByTopic(Func<LogTopic, long> read) =>
        () => Grouped(_engine.Log.Topics.Select(topic => (topic.Name, read(topic))));

    private static IEnumerable<Measurement<long>> Grouped(
        IEnumerable<(string Topic, long Value)> values, params KeyValuePair<string, object?>[] labels) => values
        .OrderBy(value => value.Topic, StringComparer.Ordinal)
        .Select((value, index) => (Topic: index < MostLabels ? value.Topic : Rest, value.Value))
        .GroupBy(value => value.Topic, value => value.Value)
        .Select(topic => new Measurement<long>(topic.Sum(), [new KeyValuePair<string, object?>("topic", topic.Key), .. labels]));

    private void Gauge(string name, string description, Func<long> read) => Meter.CreateObservableGauge(name, read, description: description);

    private void Counter(string name, string description, Func<long> read) => Meter.CreateObservableCounter(name, read, description: description);
}
