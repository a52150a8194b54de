// `estat keys revoke --name shop`: its key is no key any more.
using Estat.Cli.Frame;

namespace Estat.Cli.Keys;

internal static class KeysRevoke
{
    internal static Command Create()
    {
        var name = new Option<string>("--name") { Description = "Which key", Required = true, HelpName = "NAME" };
        var command = new Command("revoke", "Removes a key from the file; servers refuse it within a second") { name };
        KeyStore store = KeyStore.In(command);
        return command.Does((parsed, shell) =>
        {
            string path = store.Path(parsed);
            string which = parsed.GetRequiredValue(name);
            _ = KeyStore.Read(path);
            int left = 0;
            KeyStore.Change(path, keys =>
            {
                Base.Access.WriteKey[] rest = [.. keys.Where(known => known.Name != which)];
                left = rest.Length;
                return left < keys.Count ? rest
                    : throw new CliException($"{path} has no key called {which}; `estat keys list` shows those that it has");
            });
            shell.Note(left > 0 ? $"{which} is revoked; {left} keys are left."
                : $"{which} is revoked. No key is left, so servers refuse all events while WRITE_KEYS_FILE is set.");
            return Task.FromResult(ExitCode.Done);
        });
    }
}
