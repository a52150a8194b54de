// The server as a process, with a campaign or two.
using System.Globalization;
using System.Text;

namespace Estat.Requests.Tests;

/// <summary>Listens on loopback, where the header X-User-Id says who asks.</summary>
internal static class RequestsServer
{
    internal static Task<ServerProcess> StartAsync(TempFolder folder, params (string Name, string Value)[] options)
    {
        var environment = new Dictionary<string, string>
        {
            ["SERVE"] = "requests",
            ["REQUESTS_DIR"] = folder["requests"],
            ["STORAGE_DIR"] = folder["data"],
            ["REQUESTS_OUTCOME_INTERVAL"] = "100ms",
            ["LOG_LEVEL"] = "warning",
        };
        foreach ((string name, string value) in options)
        {
            environment[name] = value;
        }

        return ServerProcess.StartAsync(environment);
    }

    /// <summary>Makes a campaign that is open.</summary>
    /// <param name="client">The server's.</param>
    /// <param name="id">Its id.</param>
    /// <param name="members">JSON members beside opensAt.</param>
    internal static async Task PutCampaignAsync(HttpClient client, string id, string members)
    {
        string opens = DateTimeOffset.UtcNow.AddMinutes(-1).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        (int status, string body) = await SendAsync(
            client, HttpMethod.Put, $"/admin/campaigns/{id}", $$"""{"opensAt":"{{opens}}",{{members}}}""", ("X-Estat-Admin", "1"));
        Assert.True(status is 200 or 201, body);
    }

    /// <summary>Takes part.</summary>
    internal static Task<(int Status, string Body)> PostAsync(
        HttpClient client, string campaign, string user, string body = "", params (string Name, string Value)[] headers) =>
        SendAsync(client, HttpMethod.Post, $"/campaigns/{campaign}/requests", body, [("X-User-Id", user), .. headers]);

    /// <summary>Sends anything.</summary>
    internal static async Task<(int Status, string Body)> SendAsync(
        HttpClient client, HttpMethod method, string path, string body = "", params (string Name, string Value)[] headers)
    {
        using HttpResponseMessage answer = await AskAsync(client, method, path, body, headers);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>The same, with all that was answered.</summary>
    internal static async Task<HttpResponseMessage> AskAsync(
        HttpClient client, HttpMethod method, string path, string body = "", params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body.Length > 0)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        }

        foreach ((string name, string value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await client.SendAsync(request);
    }
}
