// Who may read what is stored: write keys with "read":true, tokens, the operator.
using Estat.Base.Access;
using Estat.Http.Access;
using Estat.Http.Intake;
using Estat.Http.Options;
using Microsoft.AspNetCore.Http;

namespace Estat.Topics.Http;

/// <summary>
/// Without write keys, ADMIN_TOKEN and tokens everybody may, as everybody may send. A bearer of three parts is a token where tokens are configured;
/// any other is the ADMIN_TOKEN. A query's <c>key</c> is a message's here, so that a write key comes in a header alone. What was wrong is counted by
/// address, as at the other doors; a key or a token that holds passes all the same.
/// </summary>
internal sealed class ReaderAccess : IReaders
{
    private const string Bearer = "Bearer ";
    private static readonly ReaderAnswer All = new(new Reader(null), null);

    private readonly WriteKeys? _keys;
    private readonly Tokens? _tokens;
    private readonly AdminToken? _admin;
    private readonly FailedAttempts _attempts;
    private readonly AddressLimits _failures;
    private readonly QueryRefusals _refusals;

    /// <param name="keys">The write keys; null without. Its owner's.</param>
    /// <param name="tokens">Which tokens are valid; null without. Its owner's.</param>
    /// <param name="failureRate">Wrong ones a second from one address.</param>
    /// <param name="options">ADMIN_TOKEN.</param>
    /// <param name="refusals">The answers.</param>
    /// <param name="time">The clock.</param>
    internal ReaderAccess(
        WriteKeys? keys, Tokens? tokens, double failureRate, HttpOptions options, QueryRefusals refusals, TimeProvider time)
    {
        _keys = keys;
        _tokens = tokens;
        _admin = options.AdminToken is null ? null : new AdminToken(options.AdminToken, time);
        _attempts = new FailedAttempts(time);
        _failures = new AddressLimits(failureRate, null, time);
        _refusals = refusals;
    }

    /// <inheritdoc/>
    public ValueTask<ReaderAnswer> FindAsync(HttpContext context)
    {
        if (_keys is null && _admin is null && _tokens is null)
        {
            return ValueTask.FromResult(All);
        }

        var request = new HttpRequestView(context);
        if (_keys is not null && KeyText.TryReadHeaders(request, out ReadOnlySpan<char> text))
        {
            return ValueTask.FromResult(OfKey(context, _keys, text));
        }

        if (request.Authorization is [{ } value] && value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            string shown = value[Bearer.Length..].Trim();
            return _tokens is not null && shown.AsSpan().Count('.') == 2 ? OfTokenAsync(context, _tokens, shown)
                : ValueTask.FromResult(OfBearer(context, shown));
        }

        return ValueTask.FromResult(IsOperator(context) ? All : new ReaderAnswer(null, Missing()));
    }

    // As on the operator's pages: by the console's session, or, without ADMIN_TOKEN, on the node itself. No page of another origin is the operator.
    private bool IsOperator(HttpContext context) =>
        !Caller.IsForeignPage(context)
        && (_admin?.IsSession(context.Request.Cookies[AdminAccess.SessionCookie]) ?? Caller.IsOnThisNode(context));

    private Refusal Missing()
    {
        _keys?.OnFailed(KeyRefusal.Missing);
        return _refusals.Nobody;
    }

    private ReaderAnswer OfKey(HttpContext context, WriteKeys keys, ReadOnlySpan<char> text)
    {
        if (keys.Table.Find(text) is not { } sender)
        {
            keys.OnFailed(KeyRefusal.Wrong);
            return new ReaderAnswer(null, OnWrong(context, _refusals.NoKey));
        }

        KeyRefusal state = sender.State();
        if (state != KeyRefusal.None)
        {
            sender.OnRefused(state);
            keys.OnFailed(state);
            return new ReaderAnswer(null, _refusals.KeyEnded(state));
        }

        if (context.Request.Headers.Origin is { Count: > 0 } origin && !(origin is [{ } only] && sender.Allows(only)))
        {
            sender.OnRefused(KeyRefusal.Origin);
            return new ReaderAnswer(null, _refusals.ForeignOrigin);
        }

        return sender.MayRead ? new ReaderAnswer(new Reader(sender), null) : new ReaderAnswer(null, _refusals.OnlySends);
    }

    private ReaderAnswer OfBearer(HttpContext context, string shown)
    {
        if (_admin is null)
        {
            return new ReaderAnswer(null, OnWrong(context, _refusals.NoToken));
        }

        System.Net.IPAddress address = Caller.AddressOf(context);
        TimeSpan? wait = _attempts.BlockedFor(address);
        if ((wait is null || _attempts.MayLook()) && _admin.Is(shown))
        {
            _attempts.Forgive(address);
            return All;
        }

        if (wait is { } left)
        {
            return new ReaderAnswer(null, _refusals.TooManyWrong(left));
        }

        _attempts.Add(address);
        return new ReaderAnswer(null, _refusals.NoToken);
    }

    private async ValueTask<ReaderAnswer> OfTokenAsync(HttpContext context, Tokens tokens, string shown)
    {
        if (tokens.FindKnown(shown) is not null)
        {
            return All;
        }

        ulong address = new HttpRequestView(context).Peer.AddressOf(context.Request.Headers);
        if (!_failures.TryTake(address, 0, out TimeSpan wait))
        {
            return new ReaderAnswer(null, _refusals.TooManyWrong(wait));
        }

        TokenAnswer answer = await tokens.ValidateAsync(shown).ConfigureAwait(false);
        return answer.User is not null ? All
            : answer.Fault == TokenFault.NoKeys ? new ReaderAnswer(null, _refusals.NoTokenKeys(answer.Wait))
            : answer.Fault is TokenFault.Expired or TokenFault.NotYet ? new ReaderAnswer(null, _refusals.NoToken)
            : new ReaderAnswer(null, OnWrong(context, _refusals.NoToken));
    }

    private Refusal OnWrong(HttpContext context, Refusal refusal) =>
        _failures.TryTake(new HttpRequestView(context).Peer.AddressOf(context.Request.Headers), 1, out TimeSpan wait) ? refusal
            : _refusals.TooManyWrong(wait);
}
