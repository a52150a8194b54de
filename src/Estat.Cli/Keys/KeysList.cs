// `estat keys list`: what the file says, which is no secret.
using System.Globalization;
using Estat.Base.Access;
using Estat.Cli.Frame;
using Spectre.Console;

namespace Estat.Cli.Keys;

internal static class KeysList
{
    internal static Command Create()
    {
        var command = new Command("list", "Lists the keys of the file; hashes are shown by their first digits");
        KeyStore store = KeyStore.In(command);
        return command.Does((parsed, shell) =>
        {
            IReadOnlyList<WriteKey> keys = [.. KeyStore.Read(store.Path(parsed))];
            bool areOfTopics = keys.Any(key => key.Read || key.Topics is not null); // a terminal is no wider than 80 columns
            string[] ofTopics = areOfTopics ? ["READ", "TOPICS"] : [];
            var table = new Table().Border(TableBorder.None).AddColumns("NAME", "SHA256", "STATE", "RATE", "BURST", "DAILY", "PREFIX");
            table.AddColumns(ofTopics).AddColumns("ORIGINS", "NOTE");
            foreach (WriteKey key in keys)
            {
                string[] cells =
                [
                    key.Name, string.Join(' ', key.Hashes.Select(hash => hash.ToString()[..8])), StateOf(key, shell.Time), Number(key.Rate),
                    Number(key.Burst), Number(key.DailyQuota), key.Prefix ?? "",
                    .. areOfTopics ? new[] { key.Read ? "yes" : "", string.Join(' ', key.Topics ?? []) } : [],
                    string.Join(' ', key.Origins ?? []), key.Note ?? "",
                ];
                table.AddRow([.. cells.Select(cell => new Text(Shell.Printable(cell)))]);
            }

            shell.Tables().Write(table);
            return Task.FromResult(ExitCode.Done);
        });
    }

    private static string StateOf(WriteKey key, TimeProvider time) =>
        key.Disabled ? "disabled"
        : key.Expires is { } end
            ? $"{(end <= time.GetUtcNow() ? "expired" : "until")} {end.UtcDateTime.ToString("yyyy-MM-ddTHH:mmZ", CultureInfo.InvariantCulture)}"
        : key.Hashes.Count > 1 ? "rotating"
        : "holds";

    private static string Number(double? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";
}
