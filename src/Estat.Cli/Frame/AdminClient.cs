// Admin pages of a node (docs/admin-api.md).
using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Estat.Core.Uploading;

namespace Estat.Cli.Frame;

/// <summary>
/// Reads are tried again for a while when the node is away or overloaded, so that a long listing or export outlives a restart; what changes something is sent
/// once. Safe for concurrent use.
/// </summary>
internal sealed class AdminClient(HttpClient client, string? node, TimeProvider time, CancellationToken asked) : IDisposable
{
    private const int Attempts = 6;
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(60);
    private static readonly Backoff Backoff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(5));

    /// <summary>The node.</summary>
    internal Uri Url => client.BaseAddress!;

    /// <summary>Reads JSON; null for 404.</summary>
    /// <exception cref="CliException">The node does not answer, or refuses.</exception>
    internal async Task<T?> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellationToken)
        where T : class
    {
        using HttpResponseMessage? answer = await OpenAsync(path, cancellationToken).ConfigureAwait(false);
        return answer is null ? null : await ReadAsync(answer, type, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens what is to be read as it comes; null for 404. The caller disposes of it.</summary>
    /// <exception cref="CliException">The node does not answer, or refuses.</exception>
    internal async Task<HttpResponseMessage?> OpenAsync(string path, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            string failure;
            try
            {
                HttpResponseMessage answer = await SendAsync(HttpMethod.Get, path, cancellationToken).ConfigureAwait(false);
                if (answer.IsSuccessStatusCode)
                {
                    return answer;
                }

                using (answer)
                {
                    if (answer.StatusCode == HttpStatusCode.NotFound && (await ProblemText.OfAsync(answer, cancellationToken).ConfigureAwait(false)).Length > 0)
                    {
                        return null;
                    }

                    failure = await ProblemText.RefusalAsync(answer, cancellationToken).ConfigureAwait(false);
                    if (answer.StatusCode is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout or HttpStatusCode.TooManyRequests))
                    {
                        throw new CliException(failure);
                    }
                }
            }
            catch (HttpRequestException error)
            {
                failure = NodeOptions.NoAnswer(Url, error);
            }

            if (attempt == Attempts)
            {
                throw new CliException(failure);
            }

            await Task.Delay(Backoff.After(attempt), time, asked).ConfigureAwait(false);
        }
    }

    /// <summary>Changes something, once. The caller looks at the status and disposes.</summary>
    /// <exception cref="CliException">The node does not answer, so nobody knows; or it does not let the caller.</exception>
    internal async Task<HttpResponseMessage> ChangeAsync(HttpMethod method, string path, CancellationToken cancellationToken)
    {
        try
        {
            HttpResponseMessage answer = await SendAsync(method, path, cancellationToken).ConfigureAwait(false);
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
            throw new CliException($"{Url} answered {answer.RequestMessage?.RequestUri?.AbsolutePath} with something that is not Estat's. Is --url a node of this version?");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, CancellationToken cancellationToken)
    {
        string full = node is null ? path : $"{path}{(path.Contains('?', StringComparison.Ordinal) ? '&' : '?')}node={Uri.EscapeDataString(node)}";
        using var message = new HttpRequestMessage(method, new Uri(full, UriKind.Relative));
        if (method != HttpMethod.Get)
        {
            message.Headers.Add("X-Estat-Admin", "1");
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerLimit);
        try
        {
            return await client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException($"no answer within {AnswerLimit.TotalSeconds:0} s");
        }
    }
}
