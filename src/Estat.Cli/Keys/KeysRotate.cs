// `estat keys rotate --name shop`: another key under the same name; the one before holds until it is dropped.
using Estat.Base.Access;
using Estat.Cli.Frame;

namespace Estat.Cli.Keys;

internal static class KeysRotate
{
    internal static Command Create()
    {
        var name = new Option<string>("--name") { Description = "Which key", Required = true, HelpName = "NAME" };
        var dropOld = new Option<bool>("--drop-old") { Description = "Ends a rotation: only the newest key is valid from now on. Makes no new key" };
        var command = new Command(
            "rotate", "Makes a new key with the same name and limits; the previous key stays valid until --drop-old") { name, dropOld };
        KeyStore store = KeyStore.In(command);
        return command.Does((parsed, shell) =>
        {
            string path = store.Path(parsed);
            string which = parsed.GetRequiredValue(name);
            bool drops = parsed.GetValue(dropOld);
            string key = KeyHash.NewKey();
            _ = KeyHash.TryOf(key, out KeyHash hash);
            KeyStore.Change(path, keys => keys.Any(known => known.Name == which)
                ? [.. keys.Select(known =>
                    known.Name != which ? known : known with { Hashes = drops ? [known.Hashes[^1]] : [known.Hashes[^1], hash] })]
                : throw new CliException($"{path} has no key called {which}; `estat keys list` shows those that it has"));
            if (drops)
            {
                shell.Note($"{which}: only the newest key is valid.");
                return Task.FromResult(ExitCode.Done);
            }

            shell.Say(key);
            shell.Note("The key is shown only now. The previous key stays valid. When nobody sends with it any more: estat keys rotate --name "
                + $"{which} --drop-old");
            return Task.FromResult(ExitCode.Done);
        });
    }
}
