// The operator's pages of topics of a node.
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Estat.Cli.Frame;

namespace Estat.Cli.Topics;

/// <summary>One node, by <c>--url</c>. A 404 of a whole page means that the node does not serve topics.</summary>
internal sealed class TopicDesk(AdminClient admin) : IDisposable
{
    /// <summary>Opens it.</summary>
    internal static TopicDesk Of(NodeOptions node, ParseResult parsed, Shell shell) => new(AdminClient.Of(node, parsed, shell));

    /// <summary>Where it is.</summary>
    internal string Description => admin.Url.GetLeftPart(UriPartial.Authority);

    /// <summary>The path of a topic.</summary>
    internal static string PathOf(string topic, string rest = "") => $"admin/topics/{Uri.EscapeDataString(topic)}{rest}";

    /// <summary>Reads everything.</summary>
    internal Task<TopicsAnswer> LookAsync(CancellationToken cancellationToken) =>
        ReadAsync("admin/topics", TopicAnswersJson.Readable.TopicsAnswer, cancellationToken);

    /// <summary>Reads a topic; null when there is none.</summary>
    internal Task<TopicAnswer?> FindAsync(string topic, CancellationToken cancellationToken) =>
        admin.GetAsync(PathOf(topic), TopicAnswersJson.Readable.TopicAnswer, cancellationToken);

    /// <summary>Reads a topic.</summary>
    /// <exception cref="CliException">There is none.</exception>
    internal async Task<TopicAnswer> TopicAsync(string topic, CancellationToken cancellationToken) =>
        await FindAsync(topic, cancellationToken).ConfigureAwait(false)
        ?? throw new CliException(
            $"{Description} has no topic {Shell.Printable(topic)}; estat topics list names them, estat topics create makes one");

    /// <summary>Reads a page that every node has that serves topics.</summary>
    internal async Task<T> ReadAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class =>
        await admin.GetAsync(path, type, cancellationToken).ConfigureAwait(false)
        ?? throw new CliException($"{Description} has no such page. Does it serve topics? Start it with SERVE=topics");

    /// <summary>Reads a dead letter with its value.</summary>
    internal async Task<DeadLetterAnswer> LetterAsync(long number, CancellationToken cancellationToken) =>
        (await admin.GetAsync(LetterPath(number), TopicAnswersJson.Readable.DeadLetterOneAnswer, cancellationToken).ConfigureAwait(false))?.DeadLetter
        ?? throw new CliException($"{Description} has no dead letter {number}; estat dead-letters list names them");

    /// <summary>Gives an order.</summary>
    /// <exception cref="CliException">The node does not do it; the message has its words.</exception>
    internal Task<T> OrderAsync<T>(
        HttpMethod method, string path, Action<Utf8JsonWriter> write, JsonTypeInfo<T> type, CancellationToken cancellationToken) =>
        admin.OrderAsync(method, path, new AdminBody(Encoding.UTF8.GetBytes(JsonLine.Of(write))), type, cancellationToken);

    /// <summary>The path of a dead letter.</summary>
    internal static string LetterPath(long number, string rest = "") =>
        string.Create(System.Globalization.CultureInfo.InvariantCulture, $"admin/dead-letters/{number}{rest}");

    /// <inheritdoc/>
    public void Dispose() => admin.Dispose();
}
