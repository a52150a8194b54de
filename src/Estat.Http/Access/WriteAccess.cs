// Who may send events, and how many: write keys, their limits, and limits per client address.
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Estat.Base.Access;
using Estat.Http.Answering;
using Estat.Http.ClientAddress;
using Estat.Http.Intake;
using Estat.Http.Metrics;
using Estat.Http.Options;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Estat.Http.Access;

/// <summary>
/// Stands before anything is read of a body, and again where it is known how many events there are. A node without keys and limits has none of this.
/// Nothing here allocates for a key in <c>X-Api-Key</c> that holds; a connection that sends the same key again is not even hashed anew.
/// </summary>
internal sealed class WriteAccess
{
    // A scheme that no browser knows: at Basic it would ask the person at the page for a password.
    private static readonly StringValues Challenge = "ApiKey realm=\"estat\"";

    private static readonly Problem Missing = Unauthorized(
        "This request needs a write key: in the header X-Api-Key, as ?key=… in the URL, or by HTTP basic. Ask the operator of this server for one.");

    private static readonly Problem Wrong = Unauthorized(
        "The server does not know this write key. Check it for a missing or an extra character, or ask the operator of this server for a new one.");

    private static readonly Problem Disabled = Unauthorized("This write key is disabled. Ask the operator of this server for another.");

    private static readonly Problem Expired = Unauthorized("This write key has expired. Ask the operator of this server for a new one.");

    private static readonly Problem ForeignOrigin = Problem.Of(
        StatusCodes.Status403Forbidden, "This write key may not be used by pages of this origin. The operator of this server can add the origin to "
            + "the key.");

    private static readonly Problem OverRate = Problem.Of(
        StatusCodes.Status429TooManyRequests, "This write key has sent more events a second than it may. Nothing was taken. Send again after "
            + "Retry-After.");

    private static readonly Problem OverQuota = Problem.Of(
        StatusCodes.Status429TooManyRequests,
        "This write key has sent more events today (UTC) than it may. Nothing was taken. Send again after Retry-After.");

    private static readonly Problem OverAddress = Problem.Of(
        StatusCodes.Status429TooManyRequests,
        "This client address has sent more events a second than one address may. Nothing was taken. Send again after Retry-After.");

    private readonly WriteKeys? _keys;
    private readonly AddressLimits? _addresses;
    private readonly bool _isOpen;
    private readonly RequestCounters _requests;

    private WriteAccess(WriteKeys? keys, AddressLimits? addresses, bool isOpen, RequestCounters requests)
    {
        _keys = keys;
        _addresses = addresses;
        _isOpen = isOpen;
        _requests = requests;
    }

    /// <summary>Whether a <c>key</c> in a query is a write key, and not part of an event.</summary>
    internal bool HasKeys => _keys is not null;

    /// <summary>Null when everybody may send as much as they like.</summary>
    /// <param name="options">Limits by client address.</param>
    /// <param name="keys">The write keys; null without.</param>
    /// <param name="isOpen">Whether requests without a key are taken although there are keys.</param>
    /// <param name="requests">Where refusals are counted.</param>
    /// <param name="time">The clock of the limits.</param>
    internal static WriteAccess? Of(HttpOptions options, WriteKeys? keys, bool isOpen, RequestCounters requests, TimeProvider time) =>
        keys is null && options.IpRate is null ? null
        : new WriteAccess(keys, options.IpRate is { } rate ? new AddressLimits(rate, options.IpBurst, time) : null,
            isOpen, requests);

    /// <summary>Whose key a request shows, and whether it may send at all: its key, its page, and whether there is room for a single event.</summary>
    /// <param name="request">The request.</param>
    /// <param name="sender">Whose key it showed; null without.</param>
    /// <param name="page">Who may read the answer, where the key itself says so; else of no page.</param>
    /// <returns>Why it may not; null when it goes on.</returns>
    internal Refusal? RefuseUnread<TRequest>(TRequest request, out Sender? sender, out PageAnswer page)
        where TRequest : struct, IRequestView
    {
        sender = null;
        page = default;
        return (_keys is null ? null : RefuseKey(request, _keys, ref sender, ref page)) ?? RefuseOver(request, sender, 0, out _);
    }

    /// <summary>Takes events out of the limits of a key and of a client's address.</summary>
    /// <param name="request">The request.</param>
    /// <param name="sender">Whose key it showed.</param>
    /// <param name="events">How many; 0 only looks whether there is room for one.</param>
    /// <param name="charge">What was taken; to be told of the answer.</param>
    /// <returns>Why they are too many; null when they were taken.</returns>
    internal Refusal? RefuseOver<TRequest>(TRequest request, Sender? sender, int events, out Charge charge)
        where TRequest : struct, IRequestView
    {
        TimeSpan wait;
        charge = default;
        if (_addresses is not null && !_addresses.TryTake(request.Peer.AddressOf(request), events, out wait))
        {
            return RefuseRate(OverAddress, wait);
        }

        if (sender is null || sender.Take(events, out charge, out wait) is var reason && reason == KeyRefusal.None)
        {
            return null;
        }

        sender.OnRefused(reason);
        return RefuseRate(reason == KeyRefusal.Rate ? OverRate : OverQuota, wait);
    }

    /// <summary>The origins that a preflight is answered by: of its key if it shows one that names some, which only a query can; else of any
    /// key.</summary>
    /// <returns>Whether pages of the origin may send; null when keys say nothing of it.</returns>
    internal bool? MaySend<TRequest>(TRequest request, string origin)
        where TRequest : struct, IRequestView
    {
        if (_keys?.Table is not { } table)
        {
            return null;
        }

        return KeyText.TryReadQuery(request.Query, out ReadOnlySpan<char> key)
            && table.Find(key) is { HasAnyOrigin: false } sender ? sender.Allows(origin)
            : table.AnyNames(origin) ? true
            : null;
    }

    /// <summary>What is answered to a key that does not hold, or was not shown.</summary>
    /// <param name="reason">Not that of a limit: those name what was sent.</param>
    internal static Problem ProblemOf(KeyRefusal reason) => reason switch
    {
        KeyRefusal.Missing => Missing,
        KeyRefusal.Disabled => Disabled,
        KeyRefusal.Expired => Expired,
        KeyRefusal.Origin => ForeignOrigin,
        _ => Wrong,
    };

    private static Problem Unauthorized(string detail) =>
        Problem.Of(StatusCodes.Status401Unauthorized, detail).With(HeaderNames.WWWAuthenticate, Challenge);

    private Refusal? RefuseKey<TRequest>(TRequest request, WriteKeys keys, ref Sender? sender, ref PageAnswer page)
        where TRequest : struct, IRequestView
    {
        if (!KeyText.TryRead(request, out ReadOnlySpan<char> key))
        {
            return _isOpen ? null : RefuseUnauthorized(keys, KeyRefusal.Missing);
        }

        sender = Find(request.Peer, keys.Table, key);
        if (sender is null)
        {
            return RefuseUnauthorized(keys, KeyRefusal.Wrong);
        }

        KeyRefusal state = sender.State();
        if (state != KeyRefusal.None)
        {
            sender.OnRefused(state);
            return RefuseUnauthorized(keys, state);
        }

        return sender.HasAnyOrigin ? null : RefuseOrigin(request.Origin, sender, ref page);
    }

    // Compared in constant time: behind a proxy a connection is shared by clients who must not learn of each other's keys.
    private static Sender? Find(Peer peer, SenderTable table, ReadOnlySpan<char> key)
    {
        if (peer.LastKey is { } last && ReferenceEquals(last.Table, table)
            && CryptographicOperations.FixedTimeEquals(MemoryMarshal.AsBytes(key), MemoryMarshal.AsBytes(last.Text.AsSpan())))
        {
            return last.Sender;
        }

        Sender? found = table.Find(key);
        if (found is not null)
        {
            peer.LastKey = new Peer.KeySeen(key.ToString(), found, table);
        }

        return found;
    }

    private Refusal? RefuseOrigin(StringValues origin, Sender sender, ref PageAnswer page)
    {
        if (origin.Count == 0)
        {
            return null;
        }

        bool isAllowed = origin.Count == 1 && sender.Allows(origin[0]!);
        page = PageAnswer.To(isAllowed ? origin : default);
        if (isAllowed)
        {
            return null;
        }

        sender.OnRefused(KeyRefusal.Origin);
        return new Refusal(ForeignOrigin, _requests.Forbidden);
    }

    private Refusal RefuseUnauthorized(WriteKeys keys, KeyRefusal reason)
    {
        keys.OnFailed(reason);
        return new Refusal(ProblemOf(reason), _requests.Unauthorized);
    }

    private Refusal RefuseRate(Problem problem, TimeSpan wait) => new(problem, _requests.RateLimited, Problem.RetryAfterOf(wait));
}
