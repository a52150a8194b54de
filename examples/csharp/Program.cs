// Sends one event and a batch to Estat with HttpClient, and says what was acknowledged.
//
//   ESTAT_URL=http://127.0.0.1:8080 ESTAT_KEY=… dotnet run --project examples/csharp
using System.Globalization;
using System.Text;
using System.Text.Json;

string url = Environment.GetEnvironmentVariable("ESTAT_URL") ?? "http://127.0.0.1:8080";
using var estat = new EstatClient(new Uri(url), Environment.GetEnvironmentVariable("ESTAT_KEY"));
try
{
    Receipt one = await estat.SendAsync(new { page = "/home", from = "csharp" });
    Console.WriteLine($"one event: {one.Ack}, in {one.Key}");
    string[] pages = ["/a", "/b", "/c"];
    await foreach (Receipt piece in estat.SendBatchAsync([.. pages.Select(page => new { page, from = "csharp" })]))
    {
        Console.WriteLine($"batch: {piece.Ack}, in {piece.Key}; {piece.Text}");
    }

    return 0;
}
catch (Exception error) when (error is HttpRequestException or TimeoutException)
{
    Console.Error.WriteLine($"not taken: {error.Message}");
    return 1;
}

/// <summary>What was acknowledged.</summary>
internal sealed record Receipt(string Ack, string? Key, string Text);

/// <summary>The server will not take it, however often it is sent.</summary>
internal sealed class RefusedException(int status, string detail) : HttpRequestException($"{status}: {detail}")
{
    public int Status => status;
}

/// <summary>Sends until it is acknowledged, refused for good, or given up.</summary>
internal sealed class EstatClient(Uri address, string? key) : IDisposable
{
    private const int Attempts = 8;

    private readonly HttpClient _client = new() { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) };

    public void Dispose() => _client.Dispose();

    public Task<Receipt> SendAsync<T>(T value) => PostAsync("/collect", "application/json", JsonSerializer.Serialize(value));

    /// <summary>In halves, if the whole is too large.</summary>
    public async IAsyncEnumerable<Receipt> SendBatchAsync<T>(IReadOnlyList<T> events)
    {
        string lines = string.Concat(events.Select(value => JsonSerializer.Serialize(value) + "\n"));
        Receipt? whole = null;
        try
        {
            whole = await PostAsync("/collect/batch", "application/x-ndjson", lines);
        }
        catch (RefusedException refused) when (refused.Status == 413 && events.Count > 1)
        {
        }

        if (whole is not null)
        {
            yield return whole;
            yield break;
        }

        int half = events.Count / 2;
        foreach (IReadOnlyList<T> piece in new[] { events.Take(half).ToArray(), events.Skip(half).ToArray() })
        {
            await foreach (Receipt receipt in SendBatchAsync(piece))
            {
                yield return receipt;
            }
        }
    }

    private async Task<Receipt> PostAsync(string path, string mediaType, string body)
    {
        // The same for each attempt: what is stored twice, because an answer was lost, can be found by it.
        string id = Guid.NewGuid().ToString("N");
        string reason = "";
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            TimeSpan asked = TimeSpan.Zero;
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, mediaType) };
                request.Headers.Add("Idempotency-Key", id);
                if (key is not null)
                {
                    request.Headers.Add("X-Api-Key", key);
                }

                using HttpResponseMessage answer = await _client.SendAsync(request);
                string text = await answer.Content.ReadAsStringAsync();
                int status = (int)answer.StatusCode;
                if (answer.IsSuccessStatusCode && Header(answer, "X-Estat-Ack") is { } ack)
                {
                    return new Receipt(ack, Header(answer, "X-Estat-Key"), text);
                }

                if (!answer.IsSuccessStatusCode && status is not (408 or 429 or 500 or 502 or 503 or 504))
                {
                    throw new RefusedException(status, text);
                }

                // Without that header it is not Estat's answer: a portal or a proxy says 200 as well.
                reason = answer.IsSuccessStatusCode ? "no X-Estat-Ack" : status.ToString(CultureInfo.InvariantCulture);
                asked = answer.Headers.RetryAfter?.Delta ?? TimeSpan.Zero;
            }
            catch (Exception error) when (error is HttpRequestException and not RefusedException or TaskCanceledException)
            {
                reason = error.Message; // no answer: nobody knows, so it is sent again
            }

            if (attempt + 1 < Attempts)
            {
                TimeSpan pause = TimeSpan.FromSeconds(0.25 * (1 << attempt));
                pause = (pause > asked ? pause : asked) * (1 + (Random.Shared.NextDouble() / 2)); // so that not all come at once
                Console.Error.WriteLine($"{path}: {reason}, again in {pause.TotalSeconds:0.0} s");
                await Task.Delay(pause);
            }
        }

        throw new TimeoutException($"{path}: given up after {Attempts} attempts; last: {reason}");
    }

    private static string? Header(HttpResponseMessage answer, string name) =>
        answer.Headers.TryGetValues(name, out IEnumerable<string>? values) ? string.Join(", ", values) : null;
}
