// `estat campaigns put`.
using System.Globalization;
using Estat.Cli.Frame;

namespace Estat.Cli.Campaigns;

/// <summary>From a JSON file as the node takes it, or from flags. A webhook's secrets come by file alone: others can read arguments.</summary>
internal sealed class CampaignsPut
{
    private readonly Argument<string> _id = CampaignsVerb.Id();
    private readonly Option<string?> _file = new("--file")
        { Description = "A JSON file as PUT /admin/campaigns takes it; - is standard input. A webhook needs it", HelpName = "FILE" };

    private readonly Option<string?> _policy = new("--policy") { Description = "first-come or draw", HelpName = "POLICY" };
    private readonly Option<string?> _opens = new("--opens-at")
        { Description = "From when requests are taken: 2026-12-24T10:00:00+09:00", HelpName = "TIME" };

    private readonly Option<string?> _closes = new("--closes-at")
        { Description = "From when none are taken; without it until estat campaigns close. A draw needs it", HelpName = "TIME" };

    private readonly Option<long?> _capacity = new("--capacity") { Description = "Places of first-come", HelpName = "N" };
    private readonly Option<long?> _winners = new("--winners") { Description = "Winners of a draw", HelpName = "N" };
    private readonly Option<string?> _chain = new("--beacon-chain")
        { Description = "Hash of the drand chain whose randomness joins the draw", HelpName = "HASH" };

    private readonly Option<long?> _round = new("--beacon-round")
        { Description = "The chain's round; it must come after --closes-at", HelpName = "N" };

    private readonly Option<long?> _genesis = new("--beacon-genesis")
        { Description = "Unix seconds of the chain's round 1; the server knows drand's default and quicknet", HelpName = "SECONDS" };

    private readonly Option<long?> _period = new("--beacon-period")
        { Description = "Seconds from round to round, with --beacon-genesis", HelpName = "SECONDS" };

    private readonly Option<bool> _isNew = new("--new") { Description = "Only make it: fail if there is a campaign of this id" };
    private readonly Option<long?> _version = new("--if-version") { Description = "Only change it if it still has this version", HelpName = "N" };
    private readonly Option<bool> _json = new("--json") { Description = "Print the campaign as one JSON object" };

    private CampaignsPut()
    {
        _policy.AcceptOnlyFromAmong("first-come", "draw");
    }

    private IReadOnlyList<Option> Flags => [_policy, _opens, _closes, _capacity, _winners, _chain, _round, _genesis, _period];

    internal static Command Create() => new CampaignsPut().Command();

    private Command Command()
    {
        var command = new Command("put", "Makes a campaign, or changes it: all of its settings at once") { _id, _file };
        foreach (Option option in Flags.Concat([_isNew, _version, _json]))
        {
            command.Options.Add(option);
        }

        NodeOptions node = NodeOptions.ForAdmin(command);
        return command.Does(async (parsed, shell) =>
        {
            if (parsed.GetValue(_isNew) && parsed.GetValue(_version) is not null)
            {
                throw CliException.Usage("--new makes a campaign and --if-version changes one: give one of them");
            }

            AdminBody body = await BodyAsync(parsed, shell).ConfigureAwait(false) with
            {
                IfNoneMatch = parsed.GetValue(_isNew) ? "*" : null,
                IfMatch = parsed.GetValue(_version) is { } version ? string.Create(CultureInfo.InvariantCulture, $"\"{version}\"") : null,
            };
            using var desk = CampaignDesk.Of(node, parsed, shell);
            CampaignAnswer campaign = await desk.OrderAsync(
                HttpMethod.Put, CampaignDesk.PathOf(parsed.GetRequiredValue(_id)), body, CampaignAnswersJson.Readable.CampaignAnswer, shell.Asked)
                .ConfigureAwait(false);
            CampaignsShow.Print(shell, campaign, parsed.GetValue(_json));
            return ExitCode.Done;
        });
    }

    private async Task<AdminBody> BodyAsync(ParseResult parsed, Shell shell)
    {
        bool hasFlags = Flags.Any(flag => parsed.GetResult(flag) is not null);
        if (parsed.GetValue(_file) is not { } file)
        {
            return hasFlags ? CampaignDesk.Body(WishOf(parsed), CampaignAnswersJson.Readable.CampaignWish)
                : throw CliException.Usage("say what the campaign is: --policy with --opens-at and the other flags, or --file");
        }

        if (hasFlags)
        {
            throw CliException.Usage("give --file or flags, not both: the file has all settings");
        }

        using Stream content = file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
        using var bytes = new MemoryStream();
        await content.CopyToAsync(bytes, shell.Asked).ConfigureAwait(false);
        return new AdminBody(bytes.ToArray());
    }

    private CampaignWish WishOf(ParseResult parsed)
    {
        bool hasBeacon = new Option[] { _chain, _round, _genesis, _period }.Any(option => parsed.GetResult(option) is not null);
        return new CampaignWish
        {
            Policy = parsed.GetValue(_policy),
            OpensAt = parsed.GetValue(_opens),
            ClosesAt = parsed.GetValue(_closes),
            Capacity = parsed.GetValue(_capacity),
            Winners = parsed.GetValue(_winners),
            Beacon = !hasBeacon ? null : new BeaconWish
            {
                Chain = parsed.GetValue(_chain),
                Round = parsed.GetValue(_round),
                Genesis = parsed.GetValue(_genesis),
                Period = parsed.GetValue(_period),
            },
        };
    }
}
