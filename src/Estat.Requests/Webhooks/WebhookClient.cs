// One call of a webhook: a POST, and what came of it.
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Estat.Requests.Campaigns;
using Estat.Requests.Options;
using Estat.Requests.Storing;
using Estat.Requests.Tracing;

namespace Estat.Requests.Webhooks;

/// <summary>Any thread. Redirects are not followed, cookies not kept, and no proxy is used: it would connect to where nobody has checked.</summary>
internal sealed class WebhookClient : IDisposable
{
    // An attempt must be over well before its lease: time is left to write how it ended, and for clocks that do not agree.
    private const double PartOfLease = 0.45;

    // So that a name that leads elsewhere is noticed.
    private static readonly TimeSpan ConnectionLife = TimeSpan.FromMinutes(2);

    private readonly HttpClient _http;
    private readonly TracedRequests _traced;
    private readonly TimeProvider _time;
    private readonly TimeSpan _limit;

    /// <param name="options">Lease, and networks that may be called.</param>
    /// <param name="traced">Which requests are traced.</param>
    /// <param name="time">The clock.</param>
    internal WebhookClient(RequestsOptions options, TracedRequests traced, TimeProvider time)
    {
        _traced = traced;
        _time = time;
        _limit = options.Lease * PartOfLease;
        Addresses = new WebhookAddresses(options.WebhookNetworks);
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ActivityHeadersPropagator = null, // the call's own span is sent, and nothing else
            ConnectTimeout = _limit,
            PooledConnectionLifetime = ConnectionLife,
            MaxResponseDrainSize = WebhookAnswer.LongestBody,
            ConnectCallback = new WebhookConnector(Addresses).ConnectAsync,
        }) { Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("Estat");
        _http.DefaultRequestHeaders.Accept.ParseAdd("application/json");
    }

    /// <summary>Where webhooks may lead.</summary>
    internal WebhookAddresses Addresses { get; }

    /// <summary>Calls the endpoint of a campaign.</summary>
    /// <exception cref="OperationCanceledException">It was broken off: nobody knows what the endpoint has done.</exception>
    internal async Task<WebhookAnswer> CallAsync(Campaign campaign, Attempt attempt, CancellationToken cancellationToken)
    {
        using Activity? span = _traced.Calling(campaign, attempt);
        WebhookAnswer answer = await CallAsync(campaign, attempt, span, cancellationToken).ConfigureAwait(false);
        TracedRequests.Called(span, WebhookCounters.NameOf(answer.Outcome), answer.IsFailure ? answer.Failure : null);
        return answer;
    }

    public void Dispose() => _http.Dispose();

    private async Task<WebhookAnswer> CallAsync(Campaign campaign, Attempt attempt, Activity? span, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(_limit, _time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        try
        {
            using HttpRequestMessage call = CallOf(campaign, attempt, span);
            using HttpResponseMessage answer =
                await _http.SendAsync(call, HttpCompletionOption.ResponseHeadersRead, end.Token).ConfigureAwait(false);
            byte[]? body = answer.StatusCode == HttpStatusCode.OK ? await ReadAsync(answer.Content, end.Token).ConfigureAwait(false) : [];
            return WebhookAnswer.Of((int)answer.StatusCode, body, WaitOf(answer.Headers.RetryAfter));
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            return late.IsCancellationRequested ? WebhookAnswer.TimedOut(_limit) : WebhookAnswer.Unreachable(WhyUnreachable(error));
        }
    }

    private HttpRequestMessage CallOf(Campaign campaign, Attempt attempt, Activity? span)
    {
        WebhookSettings webhook = campaign.Settings.Webhook!;
        byte[] body = WebhookEnvelope.BodyOf(campaign, attempt);
        var call = new HttpRequestMessage(HttpMethod.Post, webhook.Url) { Content = new ByteArrayContent(body) };
        call.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        call.Headers.Add("Idempotency-Key", attempt.Request.Id.ToString());
        call.Headers.Add("Estat-Generation", attempt.Request.Generation.ToString(CultureInfo.InvariantCulture));
        call.Headers.Add("Estat-Attempt", attempt.Number.ToString(CultureInfo.InvariantCulture));
        call.Headers.Add("Estat-Signature", WebhookEnvelope.SignatureOf(webhook.Secrets, _time.GetUtcNow().ToUnixTimeSeconds(), body));
        if (span is not null)
        {
            call.Headers.Add("traceparent", span.Id);
            if (span.TraceStateString is { Length: > 0 } state)
            {
                call.Headers.TryAddWithoutValidation("tracestate", state);
            }
        }

        return call;
    }

    // Null when it is too long.
    private static async Task<byte[]?> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        if (content.Headers.ContentLength > WebhookAnswer.LongestBody)
        {
            return null;
        }

        Stream stream = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        byte[] buffer = new byte[content.Headers.ContentLength + 1 ?? WebhookAnswer.LongestBody + 1];
        int length = await stream.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
        return length > WebhookAnswer.LongestBody ? null : buffer[..length];
    }

    private TimeSpan? WaitOf(RetryConditionHeaderValue? retryAfter) =>
        retryAfter?.Delta ?? (retryAfter?.Date is { } date ? date - _time.GetUtcNow() : null);

    // Not the exception's own text: nobody knows what it quotes.
    private static string WhyUnreachable(Exception error) => error switch
    {
        { InnerException: WebhookAddressException refused } => refused.Message,
        HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } => "The name of the endpoint's host could not be resolved.",
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } => "The endpoint could not be connected to.",
        HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError } =>
            "No secure connection to the endpoint came about: look at its certificate.",
        HttpRequestException or IOException => "The connection to the endpoint broke before its answer was complete.",
        _ => $"The endpoint could not be called ({error.GetType().Name}).",
    };
}
