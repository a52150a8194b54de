// `estat keys new --name shop`: prints a key, once; the file gets its hash.
using Estat.Base.Access;
using Estat.Base.Options;
using Estat.Cli.Frame;

namespace Estat.Cli.Keys;

internal static class KeysNew
{
    internal static Command Create()
    {
        var name = new Option<string>("--name") { Description = "Name of the key, as metrics show it: letters, digits, - and _", Required = true,
            HelpName = "NAME" };
        var origins = new Option<string[]>("--origin")
        {
            Description = "Origin of a page that may send with the key, such as https://shop.example or https://*.shop.example; "
                + "repeat it for several. Without it: all pages",
            HelpName = "ORIGIN",
        };
        var rate = new Option<double?>("--rate") { Description = "Events a second", HelpName = "N" };
        var burst = new Option<double?>("--burst") { Description = "Events at once; without it two seconds' worth of --rate", HelpName = "N" };
        var quota = new Option<long?>("--daily-quota") { Description = "Events a day (UTC)", HelpName = "N" };
        var prefix = new Option<string?>("--prefix") { Description = "Key prefix of its events' objects, instead of RAW_PREFIX",
            HelpName = "PREFIX" };
        var read = new Option<bool>("--read") { Description = "It may read what is stored of topics, too" };
        var topics = new Option<string[]>("--topic")
        {
            Description = "A topic that it may send to and read; repeat it for several. Without it: all topics", HelpName = "TOPIC",
        };
        var expires = new Option<string?>("--expires") { Description = "Time from which servers refuse it, such as 2027-01-31T00:00:00Z",
            HelpName = "TIME" };
        var note = new Option<string?>("--note") { Description = "A note for yourself", HelpName = "TEXT" };
        var command = new Command(
            "new", "Makes a key, prints it once, and adds its hash to the file") 
            { name, origins, rate, burst, quota, prefix, read, topics, expires, note };
        KeyStore store = KeyStore.In(command);
        return command.Does((parsed, shell) =>
        {
            string path = store.Path(parsed);
            string key = KeyHash.NewKey();
            _ = KeyHash.TryOf(key, out KeyHash hash);
            string[] pages = parsed.GetValue(origins) ?? [];
            WriteKey added = Checked(new WriteKey
            {
                Name = parsed.GetRequiredValue(name),
                Hashes = [hash],
                Origins = pages.Length == 0 ? null : pages,
                Rate = parsed.GetValue(rate),
                Burst = parsed.GetValue(burst),
                DailyQuota = parsed.GetValue(quota),
                Prefix = parsed.GetValue(prefix),
                Read = parsed.GetValue(read),
                Topics = parsed.GetValue(topics) is { Length: > 0 } limited ? limited : null,
                Expires = TimeOf(parsed.GetValue(expires)),
                Created = shell.Time.GetUtcNow(),
                Note = parsed.GetValue(note),
            });
            KeyStore.Change(path, keys => keys.Any(known => known.Name == added.Name)
                ? throw new CliException(
                    $"{path} already has a key called {added.Name}; `estat keys rotate --name {added.Name}` makes another one under that name")
                : [.. keys, added]);
            shell.Say(key);
            shell.Note($"The key is shown only now; {path} keeps its hash. Servers with WRITE_KEYS_FILE={path} accept it within a second:");
            shell.Note($"  curl -H 'X-Api-Key: {KeyHash.KeyPrefix}…' -d 'hello=estat' http://127.0.0.1:8080/collect");
            return Task.FromResult(ExitCode.Done);
        });
    }

    // By the same rules as the server's, and its words.
    private static WriteKey Checked(WriteKey key)
    {
        using var stream = new MemoryStream();
        WriteKeyFile.Write(stream, [key]);
        try
        {
            return WriteKeyFile.Parse(stream.ToArray(), prefixes: null)[0];
        }
        catch (WriteKeyException error)
        {
            throw CliException.Usage(error.Message[(error.Message.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim());
        }
    }

    private static DateTimeOffset? TimeOf(string? text) =>
        text is null ? null : MomentText.TryParse(text) ?? throw CliException.Usage($"--expires {text}: must be a time such as 2027-01-31T00:00:00Z");
}
