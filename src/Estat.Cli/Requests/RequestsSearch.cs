// `estat requests search` and `estat requests show`.
using System.Globalization;
using System.Text.Json;
using Estat.Cli.Campaigns;
using Estat.Cli.Frame;

namespace Estat.Cli.Requests;

/// <summary>By campaign, user, state, reason and time.</summary>
internal static class RequestsSearch
{
    private const string Path = "admin/requests";
    private const int PageSize = 200;
    private static readonly string[] Columns = ["REQUEST", "CAMPAIGN", "USER", "STATUS", "SEQUENCE", "RECEIVED", "REASON"];

    internal static Command Create()
    {
        var campaign = new Option<string?>("--campaign") { Description = "Of this campaign", HelpName = "ID" };
        var user = new Option<string?>("--user") { Description = "Of this user", HelpName = "USER" };
        var status = new Option<string?>("--status") { Description = "In this state, such as FAILED_FINAL", HelpName = "STATE" };
        var reason = new Option<string?>("--reason") { Description = "Rejected or failed for this reason, such as full", HelpName = "REASON" };
        var since = new Option<string?>("--since") { Description = "Changed since a time, such as 2026-12-24T10:00:00Z", HelpName = "TIME" };
        var list = new LongList("request", PageSize);
        var json = new Option<bool>("--json") { Description = "One JSON object a request, one a line" };
        var command = new Command("search", "Lists requests that fit, by campaign and sequence")
        {
            campaign, user, status, reason, since, list.Limit, list.All, json,
        };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            using var desk = CampaignDesk.Of(node, parsed, shell);
            await list.PrintAsync(parsed, shell, async (cursor, most) =>
            {
                string address = AdminClient.Address(
                    Path, ("campaign", parsed.GetValue(campaign)), ("user", parsed.GetValue(user)), ("status", parsed.GetValue(status)),
                    ("reason", parsed.GetValue(reason)), ("since", parsed.GetValue(since)), ("cursor", cursor), ("limit", most));
                RequestsAnswer page = await desk.ReadAsync(address, CampaignAnswersJson.Readable.RequestsAnswer, shell.Asked).ConfigureAwait(false);
                Print(shell, page.Requests, parsed.GetValue(json));
                return (page.Requests.Count, page.Cursor);
            }).ConfigureAwait(false);
            return ExitCode.Done;
        });
    }

    internal static Command Show()
    {
        var id = new Argument<string>("request") { Description = "The request's id" };
        var command = new Command("show", "Shows all that the node knows of a request, as one JSON object") { id };
        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            string sought = parsed.GetRequiredValue(id);
            using var desk = CampaignDesk.Of(node, parsed, shell);
            RequestsAnswer found = await desk.ReadAsync(
                AdminClient.Address(Path, ("id", sought)), CampaignAnswersJson.Readable.RequestsAnswer, shell.Asked).ConfigureAwait(false);
            if (found.Requests is not [{ } only])
            {
                throw new CliException($"{desk.Description} has no request {sought}");
            }

            shell.Say(JsonSerializer.Serialize(only, CampaignAnswersJson.Readable.RequestAnswer));
            return ExitCode.Done;
        });
    }

    private static void Print(Shell shell, IReadOnlyList<RequestAnswer> requests, bool asJson)
    {
        if (!asJson)
        {
            shell.Rows(Columns, requests.Select(Row));
            return;
        }

        foreach (RequestAnswer request in requests)
        {
            shell.Say(JsonSerializer.Serialize(request, CampaignAnswersJson.Readable.RequestAnswer));
        }
    }

    private static string[] Row(RequestAnswer request) =>
    [
        request.RequestId, request.CampaignId ?? "-", request.UserId ?? "(erased)", request.Status,
        request.Sequence.ToString(CultureInfo.InvariantCulture), request.ReceivedAt is { } time ? Words.Moment(time) : "-",
        string.Join(": ", new[] { request.Reason, request.Failure }.Where(text => !string.IsNullOrEmpty(text))),
    ];
}
