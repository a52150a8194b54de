// `estat requests erase`.
using Estat.Cli.Campaigns;
using Estat.Cli.Frame;

namespace Estat.Cli.Requests;

/// <summary>Takes a user's id and bodies out of all campaigns. It asks first: nobody can bring them back.</summary>
internal static class RequestsErase
{
    internal static Command Create()
    {
        var user = new Argument<string>("user") { Description = "The user's id, exactly as it came" };
        var yes = new Option<bool>("--yes") { Description = "Do not ask" };
        var command = new Command("erase", "Erases a user's id and bodies from all requests; ids, sequences and states stay") { user, yes };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            string name = parsed.GetRequiredValue(user);
            if (!parsed.GetValue(yes) && !shell.CanAsk)
            {
                throw CliException.Usage("there is no terminal to ask on: give --yes");
            }

            if (!parsed.GetValue(yes) && !shell.Confirm($"Erase {Shell.Printable(name)} from all requests? It cannot be undone."))
            {
                shell.Note("Nothing was erased.");
                return ExitCode.Failed;
            }

            using var desk = CampaignDesk.Of(node, parsed, shell);
            EraseAnswer answer = await desk.OrderAsync(
                HttpMethod.Post, "admin/users/erase",
                CampaignDesk.Body(new EraseWish { UserId = name }, CampaignAnswersJson.Readable.EraseWish),
                CampaignAnswersJson.Readable.EraseAnswer, shell.Asked).ConfigureAwait(false);
            shell.Say($"erased from {Words.Count(answer.Erased, "request")}");
            return ExitCode.Done;
        });
    }
}
