// A client that knocks at a server's port before there is a server.
using System.Diagnostics;
using System.Net;

namespace Estat.Testing;

/// <summary>What the first request is answered that a starting server answers at all.</summary>
public static class FirstAnswer
{
    /// <summary>Sends an event again and again, each time by a new connection, until there is an answer.</summary>
    /// <param name="port">On 127.0.0.1.</param>
    /// <param name="key">The write key to show.</param>
    /// <param name="limit">How long to knock.</param>
    /// <exception cref="TimeoutException">Nobody answered.</exception>
    public static async Task<HttpStatusCode> KnockAsync(int port, string key, TimeSpan limit)
    {
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < limit)
        {
            using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
            using var request = new HttpRequestMessage(
                HttpMethod.Post, new Uri($"http://127.0.0.1:{port}/collect")) { Content = new StringContent("event") };
            request.Headers.Add("X-Api-Key", key);
            try
            {
                using HttpResponseMessage answer = await client.SendAsync(request).ConfigureAwait(false);
                return answer.StatusCode;
            }
            catch (HttpRequestException)
            {
                await Task.Delay(1).ConfigureAwait(false); // nobody listens yet
            }
        }

        throw new TimeoutException($"waited {limit.TotalSeconds:0} s for a server on port {port} to answer an event");
    }
}
