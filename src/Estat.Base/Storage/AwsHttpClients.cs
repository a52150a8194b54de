// What the AWS SDK sends its requests with.
using Amazon.Runtime;

namespace Estat.Base.Storage;

/// <summary>
/// The SDK's own HTTP client, except that answers are read before the SDK sees them, to a bound (<see cref="BoundedAnswers"/>). The SDK reads XML and
/// JSON without giving its thread back; on a thread that polls sockets (<c>SOCKETS=inline</c>) it would wait for bytes that this very thread has to
/// fetch, and so would every connection beside it.
/// </summary>
public sealed class AwsHttpClients : HttpClientFactory
{
    /// <summary>Whether a PUT waits for <c>100 Continue</c> before its body. The SDK asks for it, and has no setting to do without.</summary>
    public bool ExpectsContinue { get; init; } = true;

    /// <summary>What looks at requests and answers besides; null: nothing.</summary>
    public Func<HttpMessageHandler, HttpMessageHandler>? Around { get; init; }

    /// <inheritdoc/>
    public override HttpClient CreateHttpClient(IClientConfig clientConfig)
    {
        // As in HttpRequestMessageFactory.CreateManagedHttpClient of https://github.com/aws/aws-sdk-net, which a factory replaces whole.
        var handler = new HttpClientHandler { AllowAutoRedirect = clientConfig.AllowAutoRedirect };
        if (clientConfig.MaxConnectionsPerServer is { } connections)
        {
            handler.MaxConnectionsPerServer = connections;
        }

        if (clientConfig.GetWebProxy() is { } proxy)
        {
            proxy.Credentials = clientConfig.ProxyCredentials ?? proxy.Credentials;
            handler.Proxy = proxy;
        }

        var bounded = new BoundedAnswers(handler);
        HttpMessageHandler sender = ExpectsContinue ? bounded : new WithoutExpect(bounded);
        var client = new HttpClient(Around?.Invoke(sender) ?? sender);
        if (clientConfig.Timeout is { } timeout)
        {
            client.Timeout = timeout;
        }

        return client;
    }

    private sealed class WithoutExpect(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.ExpectContinue = false;
            return base.SendAsync(request, cancellationToken);
        }
    }
}
