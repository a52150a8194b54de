// `estat keys …`: write keys in a file that the server reads, WRITE_KEYS_FILE.
namespace Estat.Cli.Keys;

/// <summary>The verbs below it.</summary>
internal static class KeysVerb
{
    internal static Command Create() => new("keys", "Makes, rotates, lists and revokes write keys: who may send events (docs/keys.md)")
    {
        KeysNew.Create(),
        KeysRotate.Create(),
        KeysList.Create(),
        KeysRevoke.Create(),
    };
}
