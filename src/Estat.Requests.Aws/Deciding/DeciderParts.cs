// What deciders share.
using Estat.Requests.Aws.Campaigns;
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Campaigns;
using Estat.Requests.Deciding;
using Estat.Requests.Options;

namespace Estat.Requests.Aws.Deciding;

/// <summary>What deciders work with.</summary>
/// <param name="Table">The table.</param>
/// <param name="Book">Campaigns.</param>
/// <param name="Closer">Closes them.</param>
/// <param name="Rule">What decides.</param>
/// <param name="OnMoved">Told of each transaction.</param>
/// <param name="Options">Attempts, leases.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Where failures are told.</param>
internal sealed record DeciderParts(
    DynamoTable Table, CampaignBook Book, CampaignCloser Closer, IDecisionRule Rule, Action<Campaign, IReadOnlyList<RequestRecord>> OnMoved,
    RequestsOptions Options, TimeProvider Time, ILogger Logger);
