// `estat requests redrive`.
using System.Text.Json;
using Estat.Cli.Campaigns;
using Estat.Cli.Frame;

namespace Estat.Cli.Requests;

/// <summary>Chosen requests by id, or the dead letters of a campaign. Redriving what is not FAILED_FINAL changes nothing.</summary>
internal static class RequestsRedrive
{
    internal static Command Create()
    {
        var ids = new Argument<string[]>("request") { Description = "Ids of requests to redrive", Arity = ArgumentArity.ZeroOrMore };
        var campaign = new Option<string?>("--campaign") { Description = "All dead letters of this campaign", HelpName = "ID" };
        var reason = new Option<string?>("--reason") { Description = "With --campaign: those that failed for this reason", HelpName = "REASON" };
        var since = new Option<string?>("--since")
            { Description = "With --campaign: those that failed since a time, such as 2026-12-24T10:00:00Z", HelpName = "TIME" };
        var dryRun = new Option<bool>("--dry-run") { Description = "Only say which it would be" };
        var json = new Option<bool>("--json") { Description = "Print the answer as one JSON object" };
        var command = new Command("redrive", "Puts requests that are FAILED_FINAL back into the queue, with their sequence")
        {
            ids, campaign, reason, since, dryRun, json,
        };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            string[] named = parsed.GetValue(ids) ?? [];
            string? whole = parsed.GetValue(campaign);
            if (named.Length > 0 == whole is not null)
            {
                throw CliException.Usage("name requests, or give --campaign");
            }

            if (whole is null && (parsed.GetValue(reason) ?? parsed.GetValue(since)) is not null)
            {
                throw CliException.Usage("--reason and --since choose among the requests of --campaign");
            }

            var wish = new RedriveWish
            {
                Ids = whole is null ? named : null, Campaign = whole, Reason = parsed.GetValue(reason), Since = parsed.GetValue(since),
                DryRun = parsed.GetValue(dryRun),
            };
            using var desk = CampaignDesk.Of(node, parsed, shell);
            RedriveAnswer answer = await desk.OrderAsync(
                HttpMethod.Post, "admin/requests/redrive", CampaignDesk.Body(wish, CampaignAnswersJson.Readable.RedriveWish),
                CampaignAnswersJson.Readable.RedriveAnswer, shell.Asked).ConfigureAwait(false);
            shell.Say(parsed.GetValue(json) ? JsonSerializer.Serialize(answer, CampaignAnswersJson.Readable.RedriveAnswer) : InWords(answer));
            if (!parsed.GetValue(json) && answer.DryRun)
            {
                foreach (string id in answer.Ids)
                {
                    shell.Say(Shell.Printable(id));
                }
            }

            if (answer.More)
            {
                shell.Note("There are more than one order takes: the same command again goes on.");
            }

            return ExitCode.Done;
        });
    }

    private static string InWords(RedriveAnswer answer) => answer.DryRun
        ? $"{Words.Count(answer.Redriven, "request")} would be redriven; nothing was changed"
        : $"{Words.Count(answer.Redriven, "request")} redriven";
}
