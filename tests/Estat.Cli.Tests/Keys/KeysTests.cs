// Keys as the operator makes them.
using Estat.Base.Access;
using Estat.Base.Options;
using Estat.Testing;

namespace Estat.Cli.Tests.Keys;

public sealed class KeysTests : IDisposable
{
    private readonly TempFolder _folder = new();

    private string KeysFile => _folder["keys.json"];

    private WriteKey Only => Assert.Single(WriteKeyFile.Parse(File.ReadAllBytes(KeysFile), new KeyPrefixes("raw", "raw_dlq")));

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_key_is_printed_once_and_the_file_holds_nothing_but_its_hash()
    {
        CommandResult made = await RunAsync("new", "--name", "shop", "--rate", "0.5", "--daily-quota", "1000", "--prefix", "lake/shop", "--origin",
            "https://shop.example", "--origin", "https://blog.example");
        string key = Assert.Single(made.Output.Split('\n'), line => line.StartsWith("estat_", StringComparison.Ordinal)).Trim();
        Assert.Matches("^estat_[A-Za-z0-9_-]{32}$", key);
        Assert.True(KeyHash.TryOf(key, out KeyHash hash));
        Assert.Equal(("shop", hash, 0.5, 1000, "lake/shop"), (Only.Name, Assert.Single(Only.Hashes), Only.Rate, Only.DailyQuota, Only.Prefix));
        Assert.Equal(["https://shop.example", "https://blog.example"], Only.Origins!);
        Assert.DoesNotContain(key["estat_".Length..], File.ReadAllText(KeysFile), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFiles(_folder.Path, ".tmp*"));
    }

    [Fact]
    public async Task A_rotated_key_holds_beside_the_new_one_until_it_is_dropped_and_a_revoked_one_is_gone()
    {
        await RunAsync("new", "--name", "shop", "--rate", "5");
        KeyHash before = Assert.Single(Only.Hashes);
        await RunAsync("rotate", "--name", "shop");
        Assert.Equal((2, before, 5), (Only.Hashes.Count, Only.Hashes[0], Only.Rate));
        KeyHash after = Only.Hashes[1];
        Assert.Contains("rotating", (await RunAsync("list")).Output, StringComparison.Ordinal);
        await RunAsync("rotate", "--name", "shop", "--drop-old");
        Assert.Equal(after, Assert.Single(Only.Hashes));
        await RunAsync("revoke", "--name", "shop");
        Assert.Empty(WriteKeyFile.Parse(File.ReadAllBytes(KeysFile), null));
    }

    [Fact]
    public async Task What_cannot_be_done_changes_nothing_and_is_told_in_one_line()
    {
        await RunAsync("new", "--name", "shop");
        byte[] before = File.ReadAllBytes(KeysFile);
        Assert.Contains("estat keys rotate --name shop", (await RunAsync(1, "new", "--name", "shop")).Output, StringComparison.Ordinal);
        Assert.Contains("rate: must be", (await RunAsync(2, "new", "--name", "b", "--rate", "0")).Output, StringComparison.Ordinal);
        Assert.Contains("--expires 01/02/2027: must be", (await RunAsync(2, "new", "--name", "b", "--expires", "01/02/2027")).Output,
            StringComparison.Ordinal);
        Assert.Contains("--expires 24h: must be", (await RunAsync(2, "new", "--name", "b", "--expires", "24h")).Output, StringComparison.Ordinal);
        Assert.Contains("has no key called blog", (await RunAsync(1, "revoke", "--name", "blog")).Output, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllBytes(KeysFile));
        File.WriteAllText(KeysFile, "{");
        Assert.Contains("repair the file first", (await RunAsync(1, "new", "--name", "b")).Output, StringComparison.Ordinal);
        Assert.Equal("{", File.ReadAllText(KeysFile));
    }

    private Task<CommandResult> RunAsync(params string[] verb) => RunAsync(0, verb);

    private async Task<CommandResult> RunAsync(int code, params string[] verb)
    {
        CommandResult result = await Command.RunAsync(
            TimeSpan.FromSeconds(60), "dotnet", [Path.Combine(AppContext.BaseDirectory, "estat.dll"), "keys", .. verb, "--file", KeysFile]);
        Assert.True(code == result.ExitCode, $"{result.ExitCode}: {result.Output}");
        return result;
    }
}
