// A client that hangs: it does not finish its body, does not read its answers, or watches a stream that has no end.

using System.Text;

namespace Estat.Testing;

/// <summary>What a client that hangs does.</summary>
public enum HangingClient
{
    /// <summary>It sends the beginning of a body.</summary>
    Body,

    /// <summary>It asks for much and reads nothing.</summary>
    Answer,

    /// <summary>It watches events pass by, and none comes.</summary>
    Tail,
}

/// <summary>One client, on a connection that it keeps open.</summary>
/// <param name="what">What it does.</param>
public sealed class ClientHang(HangingClient what) : Hang
{
    private const string Token = "a-token-of-thirty-two-characters";
    private OpenRequest? _request;

    /// <inheritdoc/>
    public override Task PrepareAsync(IDictionary<string, string> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options["ADMIN_TOKEN"] = Token;
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public override async Task BeginAsync(ServerProcess server)
    {
        _request = await OpenRequest.SendAsync(server, what switch
        {
            HangingClient.Body => "POST /collect HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\neve",
            HangingClient.Answer => new StringBuilder().Insert(0, "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n", 2_000).ToString(),
            _ => $"GET /tail HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {Token}\r\n\r\n",
        });
        if (what != HangingClient.Body)
        {
            await _request.UntilAnsweredAsync(Limit);
        }
    }

    /// <inheritdoc/>
    public override ValueTask DisposeAsync()
    {
        _request?.Dispose();
        return base.DisposeAsync();
    }
}
