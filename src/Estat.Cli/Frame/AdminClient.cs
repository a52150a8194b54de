// Admin pages of a node (docs/admin-api.md).
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Estat.Base.Storage;

namespace Estat.Cli.Frame;

/// <summary>
/// Reads are tried again for a while when the node is away or overloaded or its answer breaks off, so that a long listing or export outlives a
/// restart; what changes something is sent once. An answer counts as come when all of it has. Safe for concurrent use.
/// </summary>
internal sealed class AdminClient(HttpClient client, string? node, TimeProvider time, CancellationToken asked) : IDisposable
{
    private const int Attempts = 6;
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(60);
    private static readonly Backoff Backoff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));

    /// <summary>Opens the pages of the node that <c>--url</c> names.</summary>
    internal static AdminClient Of(NodeOptions options, ParseResult parsed, Shell shell, string? node = null) =>
        new(options.Client(parsed), node, shell.Time, shell.Asked);

    /// <summary>A path with those parameters that have a value.</summary>
    internal static string Address(string path, params IReadOnlyList<(string Name, string? Value)> parameters)
    {
        string query = string.Join('&', parameters.Where(parameter => parameter.Value is not null)
            .Select(parameter => $"{parameter.Name}={Uri.EscapeDataString(parameter.Value!)}"));
        return query.Length > 0 ? $"{path}?{query}" : path;
    }

    /// <summary>The node.</summary>
    internal Uri Url => client.BaseAddress!;

    /// <summary>Reads JSON; null for 404.</summary>
    /// <exception cref="CliException">The node does not answer, or refuses.</exception>
    internal Task<T?> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class =>
        AskAsync(path, (answer, limit) => ReadAsync(answer, type, limit.Token), cancellationToken);

    /// <summary>Copies what may be large: each part of it has the time that a whole page has. The file is written from its beginning at each
    /// attempt.</summary>
    /// <returns>False for 404.</returns>
    /// <exception cref="CliException">The node does not answer, or refuses.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    internal async Task<bool> CopyAsync(string path, FileStream target, CancellationToken cancellationToken) =>
        await AskAsync(path, async (answer, limit) =>
        {
            target.SetLength(0);
            using Stream body = await answer.Content.ReadAsStreamAsync(limit.Token).ConfigureAwait(false);
            byte[] part = new byte[64 * 1024];
            while (await PartAsync(body, part, limit.Token).ConfigureAwait(false) is > 0 and var bytes)
            {
                await target.WriteAsync(part.AsMemory(0, bytes), cancellationToken).ConfigureAwait(false);
                limit.Begin();
            }

            return target;
        }, cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>Changes something, once. The caller looks at the status and disposes; the whole answer is here.</summary>
    /// <exception cref="CliException">The node does not answer, so nobody knows; or it does not let the caller.</exception>
    internal Task<HttpResponseMessage> ChangeAsync(HttpMethod method, string path, CancellationToken cancellationToken) =>
        ChangeAsync(method, path, body: null, cancellationToken);

    /// <summary>The same with a body.</summary>
    /// <exception cref="CliException">The node does not answer, so nobody knows; or it does not let the caller.</exception>
    internal async Task<HttpResponseMessage> ChangeAsync(HttpMethod method, string path, AdminBody? body, CancellationToken cancellationToken)
    {
        using var limit = new Limit(time, cancellationToken);
        try
        {
            using HttpRequestMessage message = Message(method, path);
            message.Headers.Add("X-Estat-Admin", "1");
            if (body is not null)
            {
                message.Content = new ByteArrayContent(body.Json) { Headers = { ContentType = new("application/json") } };
                AddCondition(message, "If-Match", body.IfMatch);
                AddCondition(message, "If-None-Match", body.IfNoneMatch);
            }

            HttpResponseMessage answer = await client.SendAsync(message, HttpCompletionOption.ResponseContentRead, limit.Token).ConfigureAwait(false);
            if (answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.TooManyRequests)
            {
                using (answer)
                {
                    throw new CliException(await ProblemText.RefusalAsync(answer, cancellationToken).ConfigureAwait(false));
                }
            }

            return answer;
        }
        catch (HttpRequestException error)
        {
            throw new CliException(NodeOptions.NoAnswer(Url, error));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CliException(TooLate());
        }
    }

    /// <summary>Gives an order, and reads what it did.</summary>
    /// <exception cref="CliException">The node does not do it; the message has its words.</exception>
    internal async Task<T> OrderAsync<T>(
        HttpMethod method, string path, AdminBody? body, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        using HttpResponseMessage answer = await ChangeAsync(method, path, body, cancellationToken).ConfigureAwait(false);
        if (answer.IsSuccessStatusCode)
        {
            return await ReadAsync(answer, type, cancellationToken).ConfigureAwait(false);
        }

        string refusal = await ProblemText.RefusalAsync(answer, cancellationToken).ConfigureAwait(false);
        throw new CliException(answer.StatusCode is HttpStatusCode.BadRequest ? $"{refusal}. Nothing was changed" : refusal);
    }

    /// <summary>Reads an answer's JSON.</summary>
    /// <exception cref="CliException">It is none.</exception>
    internal async Task<T> ReadAsync<T>(HttpResponseMessage answer, JsonTypeInfo<T> type, CancellationToken cancellationToken)
    {
        try
        {
            byte[] json = await answer.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            return JsonSerializer.Deserialize(json, type) ?? throw new JsonException("null");
        }
        catch (JsonException)
        {
            throw new CliException($"{Url} answered {answer.RequestMessage?.RequestUri?.AbsolutePath} with something that Estat does not send. Is "
                + "--url an Estat node of this version?");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private async Task<T?> AskAsync<T>(string path, Func<HttpResponseMessage, Limit, Task<T>> read, CancellationToken cancellationToken)
        where T : class
    {
        for (int attempt = 1; ; attempt++)
        {
            string failure;
            using var limit = new Limit(time, cancellationToken);
            try
            {
                using HttpRequestMessage message = Message(HttpMethod.Get, path);
                using HttpResponseMessage answer = await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, limit.Token)
                    .ConfigureAwait(false);
                if (answer.IsSuccessStatusCode)
                {
                    return await read(answer, limit).ConfigureAwait(false);
                }

                if (answer.StatusCode == HttpStatusCode.NotFound)
                {
                    return null;
                }

                failure = await ProblemText.RefusalAsync(answer, limit.Token).ConfigureAwait(false);
                if (!AnswerMeaning.MayPass(answer.StatusCode))
                {
                    throw new CliException(failure);
                }
            }
            catch (HttpRequestException error)
            {
                failure = NodeOptions.NoAnswer(Url, error);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                failure = TooLate();
            }

            if (attempt == Attempts)
            {
                throw new CliException(failure);
            }

            await Task.Delay(Backoff.After(attempt), time, asked).ConfigureAwait(false);
        }
    }

    private HttpRequestMessage Message(HttpMethod method, string path) =>
        new(method, new Uri(node is null ? path
            : $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}node={Uri.EscapeDataString(node)}", UriKind.Relative));

    private string TooLate() =>
        $"{Url.GetLeftPart(UriPartial.Authority)} gave no answer within {AnswerLimit.TotalSeconds:0} s. Is it overloaded? Try again in a while";

    // What breaks off here is the network's; what the file does not take is not, and trying again would not mend it.
    private static async Task<int> PartAsync(Stream body, byte[] part, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(part, cancellationToken).ConfigureAwait(false);
        }
        catch (IOException error)
        {
            throw new HttpRequestException(error.Message, error);
        }
    }

    private static void AddCondition(HttpRequestMessage message, string header, string? value)
    {
        if (value is not null && !message.Headers.TryAddWithoutValidation(header, value))
        {
            throw CliException.Usage($"{header}: {value} is no header's value");
        }
    }

    // Of an answer, or of a part of a long one.
    private sealed class Limit : IDisposable
    {
        private readonly CancellationTokenSource _silence;
        private readonly CancellationTokenSource _either;

        internal Limit(TimeProvider time, CancellationToken cancellationToken)
        {
            _silence = new CancellationTokenSource(AnswerLimit, time);
            _either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _silence.Token);
        }

        internal CancellationToken Token => _either.Token;

        internal void Begin() => _silence.CancelAfter(AnswerLimit);

        public void Dispose()
        {
            _either.Dispose();
            _silence.Dispose();
        }
    }
}

/// <summary>What an order carries.</summary>
/// <param name="Json">Its JSON.</param>
internal sealed record AdminBody(byte[] Json)
{
    /// <summary>The ETag that what is changed must have.</summary>
    internal string? IfMatch { get; init; }

    /// <summary><c>*</c>: what is made must not be there.</summary>
    internal string? IfNoneMatch { get; init; }
}
