// A server with its folder, and what its operator and its users ask most.
using System.Text.Json;

namespace Estat.Requests.Tests.Http;

/// <summary>
/// One test's, or all of a class's. A user may make ten new requests, and then none for a while: whoever shares it has users of their own.
/// </summary>
public sealed class RequestsPlace : IAsyncLifetime
{
    internal const string FirstCome = "\"policy\":\"first-come\",\"capacity\":";

    private static readonly (string, string) Slow = ("REQUESTS_USER_RATE", "0.01");
    private ServerProcess _server = null!;

    internal TempFolder Folder { get; } = new();

    internal HttpClient Client => _server.Client;

    public async ValueTask InitializeAsync() => _server = await RequestsServer.StartAsync(Folder, Slow);

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        Folder.Dispose();
    }

    /// <summary>Kills the server, and starts it again.</summary>
    internal async Task KillAsync()
    {
        _server.Kill();
        await _server.WaitForExitAsync(TimeSpan.FromSeconds(30));
        await _server.DisposeAsync();
        await InitializeAsync();
    }

    /// <summary>Takes part, and says where the request is.</summary>
    internal async Task<string> PathOfAsync(string campaign, string user)
    {
        using JsonDocument body = JsonDocument.Parse((await RequestsServer.PostAsync(Client, campaign, user)).Body);
        return $"/requests/{body.RootElement.GetProperty("requestId").GetString()}";
    }

    /// <summary>What the operator asks.</summary>
    internal Task<(int Status, string Body)> AdminAsync(
        HttpMethod method, string path, string body = "", params (string Name, string Value)[] headers) =>
        RequestsServer.SendAsync(Client, method, path, body, [("X-Estat-Admin", "1"), .. headers]);
}
