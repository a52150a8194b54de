// A real S3 that gives everything but some objects.
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;

namespace Estat.Cli.Tests.Support;

/// <summary>
/// Passes requests on to a gateway as they are (their signature is of the Host that they name), and answers GETs of some keys itself.
/// </summary>
internal sealed class RefusingStore : IAsyncDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });
    private readonly Uri _gateway;
    private readonly Func<string, string?> _codeFor;
    private FakeNode? _node;

    private RefusingStore(string gateway, Func<string, string?> codeFor)
    {
        _gateway = new Uri(gateway);
        _codeFor = codeFor;
    }

    internal string Url => _node!.Url;

    /// <param name="gateway">The store behind it.</param>
    /// <param name="codeFor">From the path of a GET or HEAD to the error code that it is refused with; null lets it pass.</param>
    internal static async Task<RefusingStore> StartAsync(string gateway, Func<string, string?> codeFor)
    {
        var store = new RefusingStore(gateway, codeFor);
        store._node = await FakeNode.StartAsync(store.AnswerAsync);
        return store;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _node!.DisposeAsync();
        _client.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (request.Method is "GET" or "HEAD" && request.Path.Value!.EndsWith(".gz", StringComparison.Ordinal)
            && _codeFor(request.Path.Value) is { } code)
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            if (request.Method == "GET")
            {
                await context.Response.WriteAsync($"<Error><Code>{code}</Code><Message>refused</Message></Error>");
            }

            return;
        }

        var target = new Uri(_gateway, request.Path.ToUriComponent() + request.QueryString.Value);
        using var forwarded = new HttpRequestMessage(new HttpMethod(request.Method), target) { Content = new StreamContent(request.Body) };
        forwarded.Headers.Host = request.Host.Value;
        foreach ((string name, Microsoft.Extensions.Primitives.StringValues values) in request.Headers)
        {
            if (!name.Equals("Host", StringComparison.OrdinalIgnoreCase) && !name.Equals("Expect", StringComparison.OrdinalIgnoreCase)
                && !forwarded.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values))
            {
                forwarded.Content.Headers.TryAddWithoutValidation(name, (IEnumerable<string?>)values);
            }
        }

        if (request.ContentLength is null)
        {
            forwarded.Content = null;
        }

        using HttpResponseMessage answer = await _client.SendAsync(forwarded, HttpCompletionOption.ResponseHeadersRead);
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (HttpHeaders headers in new HttpHeaders[] { answer.Headers, answer.Content.Headers })
        {
            foreach ((string name, IEnumerable<string> values) in headers)
            {
                if (!name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase))
                {
                    context.Response.Headers.Append(name, values.ToArray());
                }
            }
        }

        if (request.Method != "HEAD" && answer.StatusCode != System.Net.HttpStatusCode.NoContent)
        {
            await answer.Content.CopyToAsync(context.Response.Body);
        }
    }
}
