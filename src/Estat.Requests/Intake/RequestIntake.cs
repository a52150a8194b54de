// The steps of a request: who → which campaign → known? → open? → may they → accept. For every door.
using System.Buffers.Binary;
using System.Security.Cryptography;
using Estat.Base.Access;
using Estat.Http.Intake;
using Estat.Requests.Campaigns;
using Estat.Requests.Options;
using Estat.Requests.Storing;
using Estat.Requests.Tracing;

namespace Estat.Requests.Intake;

/// <summary>
/// A known user is answered before window and limits: their request was taken, whatever holds now. So a limit never costs anybody the place that they
/// have. Any thread.
/// </summary>
internal sealed class RequestIntake
{
    // What a user may send at once: a double click and a few retries.
    private const double Burst = 10;

    private readonly IRequestStore _store;
    private readonly RequestCache _cache;
    private readonly RequestRefusals _refusals;
    private readonly TracedRequests _traced;
    private readonly AddressLimits _users;
    private readonly TimeProvider _time;

    internal RequestIntake(
        RequestsOptions options, IRequestStore store, RequestCache cache, RequestRefusals refusals, TracedRequests traced, TimeProvider time)
    {
        _store = store;
        _cache = cache;
        _refusals = refusals;
        _traced = traced;
        _time = time;
        _users = new AddressLimits(options.UserRate, Math.Max(Burst, 2 * options.UserRate), time);
    }

    /// <summary>What the rules say before a body is read.</summary>
    /// <param name="campaignId">As the path has it.</param>
    /// <param name="user">Who.</param>
    /// <returns>The refusal; or the request that the user has; or, with both null, a submission to be accepted.</returns>
    internal async ValueTask<(Refusal? Refusal, RequestRecord? Known, Submission Submission)> EnterAsync(string campaignId, UserId user)
    {
        if ((_store.FindCampaign(campaignId) ?? await _store.FindCampaignAsync(campaignId).ConfigureAwait(false)) is not { } campaign)
        {
            return (_refusals.NoCampaign, null, default);
        }

        var id = RequestId.Of(campaign.Secret.Span, campaign.Id, user);
        if (_cache.Find(id) is { } known)
        {
            return IsOf(known, user) ? (null, known, default) : (_refusals.Collision, null, default);
        }

        Refusal? refusal = WhyNot(campaign, user);
        if (refusal is null)
        {
            return (null, null, new Submission(campaign.Id, id, user, default));
        }

        return await _store.FindAsync(id).ConfigureAwait(false) is { } stored ? (null, stored, default) : (refusal, null, default);
    }

    /// <summary>Has the store accept it.</summary>
    /// <returns>The request, and whether it is new; or the refusal.</returns>
    internal async ValueTask<(Refusal? Refusal, RequestRecord? Request, bool IsNew)> AcceptAsync(Submission submission)
    {
        _traced.OnAccepting(submission);
        Acceptance acceptance = await _store.AcceptAsync(submission).ConfigureAwait(false);
        RequestRecord? request = acceptance.Request;
        try
        {
            request ??= await FindAsync(submission.Id).ConfigureAwait(false);
        }
        catch (StoreException)
        {
            // What the acceptance said holds: a reading that fails says nothing of what was taken.
        }

        return request is null
                ? (_refusals.Of(acceptance.Outcome, _store.FindCampaign(submission.CampaignId), _time.GetUtcNow()), null, false)
            : !IsOf(request, submission.User) ? (_refusals.Collision, null, false)
            : (null, request, acceptance.Outcome == AcceptanceOutcome.Accepted);
    }

    /// <summary>Why a user may not take a request back now, before anything is written; null when they may try.</summary>
    internal Refusal? WhyNotWithdrawn(RequestRecord request, UserId user)
    {
        if (request.State.IsFinal() || request.State == RequestState.Processing)
        {
            return request.Reason == Reasons.Withdrawn ? null
                : _refusals.Conflict(CampaignRules.WhyNotWithdrawn(request.State));
        }

        return _users.TryTake(BucketOf(user), 1, out TimeSpan wait) ? null : _refusals.OverRate(wait);
    }

    /// <summary>A request of a user's; null when it is not there, or not theirs.</summary>
    internal async ValueTask<RequestRecord?> FindOwnAsync(RequestId id, UserId user) =>
        await FindAsync(id).ConfigureAwait(false) is { User: { } owner } request && owner.Equals(user) ? request : null;

    /// <summary>A request; null when it is not there.</summary>
    internal ValueTask<RequestRecord?> FindAsync(RequestId id) =>
        _cache.Find(id) is { } known ? ValueTask.FromResult<RequestRecord?>(known) : _store.FindAsync(id);

    private Refusal? WhyNot(Campaign campaign, UserId user)
    {
        DateTimeOffset now = _time.GetUtcNow();
        return campaign.WindowAt(now) switch
        {
            CampaignWindow.NotYet => _refusals.NotYet(campaign, now),
            CampaignWindow.Closed => _refusals.Closed,
            _ => _users.TryTake(BucketOf(user), 1, out TimeSpan wait) ? null : _refusals.OverRate(wait),
        };
    }

    // Two users with one id: nobody will see it, and nobody shall see another's request.
    private static bool IsOf(RequestRecord request, UserId user) => request.User is not { } owner || owner.Equals(user);

    private static ulong BucketOf(UserId user)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(user.Bytes, hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }
}
