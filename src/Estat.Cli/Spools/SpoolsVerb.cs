// `estat spools …`: the spools that a cluster knows.
using System.Net;
using System.Text.Json.Serialization;
using Estat.Cli.Frame;

namespace Estat.Cli.Spools;

/// <summary>Lists them, and removes the reminder of one that never comes back.</summary>
internal static class SpoolsVerb
{
    private static readonly string[] Columns = ["SPOOL", "NODE"];

    internal static Command Create() => new("spools", "Lists a cluster's spools, and forgets one whose disk never comes back") { List(), Forget() };

    private static Command List()
    {
        var json = new Option<bool>("--json") { Description = "One JSON object a spool, one a line" };
        var command = new Command("list", "Lists the spools that have a reminder, each with the silo that has it mounted") { json };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            using AdminClient admin = await OpenAsync(node, parsed, shell).ConfigureAwait(false);
            SpoolList list = await admin.GetAsync("admin/spools", SpoolsJson.Default.SpoolList, shell.Asked).ConfigureAwait(false)
                ?? throw new CliException($"{admin.Url.GetLeftPart(UriPartial.Authority)} has no spools to list: it belongs to no cluster, "
                    + "or is of an earlier version");
            if (parsed.GetValue(json))
            {
                foreach (ListedSpool spool in list.Spools)
                {
                    shell.Say(System.Text.Json.JsonSerializer.Serialize(spool, SpoolsJson.Default.ListedSpool));
                }
            }
            else
            {
                shell.Say(string.Join('\t', Columns));
                foreach (ListedSpool spool in list.Spools)
                {
                    shell.Say($"{Shell.Printable(spool.Spool)}\t{(spool.Node is { } at ? Shell.Printable(at) : "no silo has it mounted")}");
                }
            }

            return ExitCode.Done;
        });
    }

    private static Command Forget()
    {
        var id = new Argument<string>("spool") { Description = "The spool's id, as estat spools list names it" };
        var command = new Command("forget", "Removes the reminder of a spool that no silo has. What lies on its disk is not touched") { id };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            string spool = parsed.GetValue(id)!;
            using AdminClient admin = await OpenAsync(node, parsed, shell).ConfigureAwait(false);
            using HttpResponseMessage answer = await admin.ChangeAsync(
                HttpMethod.Delete, $"admin/spools/{Uri.EscapeDataString(spool)}", shell.Asked).ConfigureAwait(false);
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                throw new CliException(await ProblemText.RefusalAsync(answer, shell.Asked).ConfigureAwait(false));
            }

            shell.Say($"{Shell.Printable(spool)}: its reminder is gone. A silo that mounts it makes the reminder again");
            return ExitCode.Done;
        });
    }

    // Any silo can say it for the whole cluster, and a gateway cannot.
    private static async Task<AdminClient> OpenAsync(NodeOptions node, ParseResult parsed, Shell shell)
    {
        string? silo;
        using (var any = AdminClient.Of(node, parsed, shell))
        {
            silo = (await Keepers.ReadAsync(any, shell.Asked).ConfigureAwait(false)).Where(keeper => keeper.Silent is null)
                .Select(keeper => keeper.Name).FirstOrDefault();
        }

        return silo is null ? throw new CliException("no silo answers. Try again when one does")
            : AdminClient.Of(node, parsed, shell, silo);
    }
}

/// <summary>What GET /admin/spools answers.</summary>
internal sealed record SpoolList
{
    /// <summary>By id.</summary>
    public required IReadOnlyList<ListedSpool> Spools { get; init; }
}

/// <summary>A spool with a reminder.</summary>
internal sealed record ListedSpool
{
    /// <summary>Its id.</summary>
    public required string Spool { get; init; }

    /// <summary>The silo that has it mounted; null when none has.</summary>
    public string? Node { get; init; }
}

/// <summary>Generated (de)serialization: no reflection at start-up.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(SpoolList))]
[JsonSerializable(typeof(ListedSpool))]
internal sealed partial class SpoolsJson : JsonSerializerContext;
