// Holds every answer that a test's HttpClient gets against /openapi.json.
namespace Estat.Api.Tests.Contract;

/// <summary>Passes requests on and judges their answers. Streams, downloads and compressed answers are judged by their heads alone.</summary>
/// <param name="description">The judge.</param>
/// <param name="inner">Sends the requests.</param>
internal sealed class ContractHandler(ApiDescription description, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private static readonly HashSet<string> Readable = ["application/json", "application/problem+json", "text/plain"];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response = await base.SendAsync(request, cancellationToken);
        string? type = response.Content.Headers.ContentType?.MediaType;
        bool isRead = request.Method != HttpMethod.Head && response.Content.Headers.ContentEncoding.Count == 0
            && (type is null || Readable.Contains(type));
        if (isRead)
        {
            // Kept, so that the test reads it once more.
            await response.Content.LoadIntoBufferAsync(cancellationToken);
        }

        description.Check(new Answer(
            request.Method.Method, request.RequestUri!.AbsolutePath, (int)response.StatusCode,
            response.Headers.Concat(response.Content.Headers)
                .SelectMany(header => header.Value, (header, value) => (header.Key, value))
                    .ToLookup(pair => pair.Key, pair => pair.value, StringComparer.OrdinalIgnoreCase),
            response.Content.Headers.ContentType?.ToString(), isRead ? await response.Content.ReadAsByteArrayAsync(cancellationToken) : null));
        return response;
    }
}
