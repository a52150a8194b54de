// What the operator wants to be tried again.
using System.Text.Json;
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;

namespace Estat.Requests.Http;

/// <summary>Chosen by ids, or by campaign, reason and time. At most <see cref="Most"/> at once.</summary>
internal sealed class RedriveOrder
{
    /// <summary>Requests of one order.</summary>
    internal const int Most = 10_000;

    private readonly IReadOnlyList<RequestId>? _ids;
    private readonly RequestFilter? _filter;

    private RedriveOrder(IReadOnlyList<RequestId>? ids, RequestFilter? filter, bool isDryRun)
    {
        _ids = ids;
        _filter = filter;
        IsDryRun = isDryRun;
    }

    /// <summary>Whether nothing is changed.</summary>
    internal bool IsDryRun { get; }

    /// <summary>Reads one, or says what is wrong with it.</summary>
    internal static (RedriveOrder? Order, string? Why) Read(JsonElement body)
    {
        string[] known = ["ids", "campaign", "reason", "since", "dryRun"];
        string? unknown = body.EnumerateObject().Select(member => member.Name).FirstOrDefault(name => !known.Contains(name));
        if (unknown is not null)
        {
            return (null, $"There is no \"{unknown}\" in an order to redrive. It may have: {string.Join(", ", known)}.");
        }

        if (body.TryGetProperty("dryRun", out JsonElement dry) && dry.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
        {
            return (null, "dryRun must be true or false.");
        }

        string? noText = body.EnumerateObject()
            .Where(member => member.Name is "campaign" or "reason" or "since" && member.Value.ValueKind != JsonValueKind.String)
            .Select(member => member.Name).FirstOrDefault();
        if (noText is not null)
        {
            return (null, $"{noText} must be a text.");
        }

        bool isDryRun = body.TryGetProperty("dryRun", out JsonElement dryRun) && dryRun.ValueKind == JsonValueKind.True;
        if (body.TryGetProperty("ids", out JsonElement list))
        {
            if (list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > Most)
            {
                return (null, $"ids must be a list of at most {Most} request ids.");
            }

            List<RequestId?> ids = [.. list.EnumerateArray()
                .Select(id => id.ValueKind == JsonValueKind.String ? RequestId.Parse(id.GetString()) : null)];
            return ids.Contains(null) ? (null, "Each of ids must be a request's id, such as 8c5f0a4e-….")
                : (new RedriveOrder([.. ids.Select(id => id!.Value).Distinct()], null, isDryRun), null);
        }

        string? campaign = Text(body, "campaign");
        string? since = Text(body, "since");
        DateTimeOffset? from = since is null ? null : Rfc3339.Parse(since);
        return campaign is null ? (null, "Say which: ids, or campaign with reason and since as you like.")
            : since is not null && from is null ? (null, "since must be a time with an offset, such as 2026-12-24T10:00:00Z.")
            : (new RedriveOrder(null, new RequestFilter
            {
                CampaignId = campaign, Reason = Text(body, "reason"), Since = from, State = RequestState.FailedFinal,
            }, isDryRun), null);
    }

    /// <summary>Redrives, or says what it would.</summary>
    /// <returns>Which; and whether there are more than one order takes.</returns>
    internal async Task<(IReadOnlyList<RequestId> Redriven, bool IsMore)> RunAsync(IRequestStore store, CancellationToken cancellationToken)
    {
        if (_ids is not null)
        {
            return (await store.RedriveAsync(_ids, IsDryRun).ConfigureAwait(false), false);
        }

        var chosen = new List<RequestId>();
        string? cursor = null;
        do
        {
            RequestPage page = await store.SearchAsync(_filter!, cursor, 200, cancellationToken).ConfigureAwait(false);
            chosen.AddRange(page.Requests.Select(request => request.Id));
            cursor = page.Cursor;
        }
        while (cursor is not null && chosen.Count + 200 <= Most);
        return (await store.RedriveAsync(chosen, IsDryRun).ConfigureAwait(false), cursor is not null);
    }

    private static string? Text(JsonElement body, string name) =>
        body.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
