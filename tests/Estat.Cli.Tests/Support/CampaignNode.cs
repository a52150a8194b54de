// A real server that takes requests of campaigns, and its users.
using System.Globalization;
using System.Net;
using Estat.Testing;

namespace Estat.Cli.Tests.Support;

/// <summary>It listens on loopback, so it believes the header that names a user.</summary>
internal sealed class CampaignNode : IAsyncDisposable
{
    private readonly TempFolder _folder;
    private readonly ServerProcess _process;

    private CampaignNode(TempFolder folder, ServerProcess process)
    {
        _folder = folder;
        _process = process;
    }

    internal string Url => _process.BaseAddress.ToString();

    /// <summary>Its folders.</summary>
    internal TempFolder Folder => _folder;

    /// <summary>Its REQUESTS_DIR.</summary>
    internal string Dir => _folder["requests"];

    /// <param name="prepare">Gets its REQUESTS_DIR, and puts there what an earlier run left.</param>
    internal static async Task<CampaignNode> StartAsync(Func<string, Task>? prepare = null)
    {
        var folder = new TempFolder();
        await (prepare?.Invoke(folder["requests"]) ?? Task.CompletedTask);
        Dictionary<string, string> options = SendTests.LocalServer(folder);
        options["SERVE"] = "requests";
        options["REQUESTS_DIR"] = folder["requests"];
        options["REQUESTS_USER_RATE"] = "1000";
        return new CampaignNode(folder, await ServerProcess.StartAsync(options));
    }

    /// <summary>A time as campaigns have it.</summary>
    internal static string FromNow(TimeSpan time) => (DateTime.UtcNow + time).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>Runs a verb on this node.</summary>
    internal Task<(int Code, string Output)> RunAsync(params string[] args) => EstatCommand.RunAsync([.. args, "--url", Url]);

    /// <summary>Runs a verb that must do it.</summary>
    internal async Task<string> DoAsync(params string[] args)
    {
        (int code, string output) = await RunAsync(args);
        Assert.True(code == 0, $"{string.Join(' ', args)} ended with {code}: {output}");
        return output;
    }

    /// <summary>Takes part for each of these users, one after another.</summary>
    internal async Task TakePartAsync(string campaign, params IEnumerable<string> users)
    {
        foreach (string user in users)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, new Uri($"campaigns/{campaign}/requests", UriKind.Relative));
            request.Headers.Add("X-User-Id", user);
            using HttpResponseMessage answer = await _process.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        }
    }

    /// <summary>A public page.</summary>
    internal Task<string> ReadAsync(string path) => _process.Client.GetStringAsync(new Uri(path, UriKind.Relative));

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Dispose();
    }
}
