// A key file that hangs: a pipe that nobody writes to, or a file on a network's file system that does not answer.

namespace Estat.Testing;

/// <summary>The keys that were read before it hung still hold.</summary>
/// <param name="isPipe">Whether a named pipe stands in its place; otherwise it stays a file, whose calls do not come back.</param>
public sealed class KeyFileHang(bool isPipe) : Hang
{
    private const string Header = "X-Api-Key: estat_shop_0123456789abcdefghijkl";
    private const string Calls = "open,openat,stat,statx,newfstatat,access,faccessat,faccessat2,readlink,readlinkat";
    private HangingCalls? _calls;

    /// <inheritdoc/>
    public override string? Missing => isPipe ? null : HangingCalls.Missing;

    private string Path => Folder["keys.json"];

    /// <inheritdoc/>
    public override async Task PrepareAsync(IDictionary<string, string> options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData("estat_shop_0123456789abcdefghijkl"u8));
        await File.WriteAllTextAsync(Path, $$"""{"keys":[{"name":"shop","sha256":"{{hash}}"}]}""");
        options["WRITE_KEYS_FILE"] = Path;
    }

    /// <inheritdoc/>
    public override async Task BeginAsync(ServerProcess server)
    {
        ArgumentNullException.ThrowIfNull(server);
        if (isPipe)
        {
            await Command.SucceedAsync(Limit, "mkfifo", Path + ".next");
            File.Move(Path + ".next", Path, overwrite: true);
        }
        else
        {
            _calls = await HangingCalls.BeginAsync(server.Id, Calls, Path);
        }

        await Wait.UntilAsync(
            async () => (await server.MetricsAsync()).TryGetValue("estat_key_file_failing", out var failing) && failing == 1,
            Limit, "the scrape to show that the key file fails");
        using var connection = await OpenRequest.SendAsync(
            server, $"POST /collect HTTP/1.1\r\nHost: x\r\n{Header}\r\nContent-Length: 5\r\n\r\nevent");
        await connection.UntilAnsweredAsync(Limit);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (_calls is not null)
        {
            await _calls.DisposeAsync();
        }

        await base.DisposeAsync();
    }
}
