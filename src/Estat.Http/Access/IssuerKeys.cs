// An issuer's keys, by its discovery page: /.well-known/openid-configuration.
using System.Net;
using Estat.Base.Logging;
using Estat.Base.Options;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Estat.Http.Access;

/// <summary>
/// Fetches at the start, every <see cref="Interval"/>, and when a token names an unknown key, then at most once in <see cref="Least"/>: tokens that
/// somebody makes up do not flood the issuer. One fetch at a time, which all who need it wait for. While the issuer cannot be reached, the keys that
/// were fetched before stay in force. Any thread.
/// </summary>
internal sealed partial class IssuerKeys : ITokenKeys
{
    /// <summary>Least time between two fetches.</summary>
    internal static readonly TimeSpan Least = TimeSpan.FromSeconds(10);

    /// <summary>A key that the issuer takes back stays in force for as long at the most.</summary>
    internal static readonly TimeSpan Interval = TimeSpan.FromMinutes(15);

    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private readonly TokenOptions _options;
    private readonly LifetimeValidator _lives;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _address;
    private readonly HttpClient _client;
    private readonly Documents _documents;
    private readonly CancellationTokenSource _ending = new();
    private readonly ToldFault _trouble = new();
    private readonly Lock _gate = new();
    private ITimer? _timer;
    private Task<bool>? _fetch;
    private long _fetchedAt;
    private volatile TokenKeySet? _current;

    /// <param name="options">Checked options, without a file.</param>
    /// <param name="lives">Whether a token's time is now.</param>
    /// <param name="time">Clock and timer.</param>
    /// <param name="logger">Where it is told that the issuer cannot be reached, and that it can again.</param>
    internal IssuerKeys(TokenOptions options, LifetimeValidator lives, TimeProvider time, ILogger logger)
    {
        _options = options;
        _lives = lives;
        _time = time;
        _logger = logger;
        _address = $"{options.Issuer!.TrimEnd('/')}/.well-known/openid-configuration";
        _client = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false, // to where nobody has checked
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.All,
            PooledConnectionLifetime = TimeSpan.FromMinutes(1),
        })
        { MaxResponseContentBufferSize = 1 << 20 };
        _documents = new Documents(_client);
    }

    /// <inheritdoc/>
    public TokenKeySet? Current => _current;

    /// <inheritdoc/>
    public bool Fails => _trouble.Lasts;

    /// <inheritdoc/>
    public void Start()
    {
        _ = RenewAsync().AsTask(); // ends its own errors
        _timer = _time.CreateTimer(static keys => _ = ((IssuerKeys)keys!).RenewAsync().AsTask(), this, Interval, Interval);
    }

    /// <inheritdoc/>
    public async ValueTask<TimeSpan?> RenewAsync()
    {
        Task<bool> fetch;
        lock (_gate)
        {
            TimeSpan since = _time.GetElapsedTime(_fetchedAt);
            if (_fetch is { IsCompleted: true } && since < Least)
            {
                return _trouble.Lasts ? Least - since : null;
            }

            if (_fetch is null or { IsCompleted: true })
            {
                _fetchedAt = _time.GetTimestamp();
                _fetch = Task.Run(FetchAsync);
            }

            fetch = _fetch;
        }

        return await fetch.ConfigureAwait(false) ? null : Least;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _timer?.Dispose();
        await _ending.CancelAsync().ConfigureAwait(false);
        Task<bool>? last;
        lock (_gate)
        {
            last = _fetch;
        }

        await (last ?? Task.CompletedTask).ConfigureAwait(false);
        _client.Dispose();
        _ending.Dispose();
    }

    private async Task<bool> FetchAsync()
    {
        try
        {
            using var limit = new CancellationTokenSource(Longest, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _ending.Token);
            OpenIdConnectConfiguration found =
                await OpenIdConnectConfigurationRetriever.GetAsync(_address, _documents, either.Token).ConfigureAwait(false);
            if (found.Issuer != _options.Issuer)
            {
                throw new InvalidDataException($"it says that its issuer is \"{found.Issuer}\"");
            }

            Adopt(TokenKeySet.After(_current, found.JsonWebKeySet ?? new JsonWebKeySet(), _options, _lives));
            return true;
        }
        catch (Exception error)
        {
            // Whatever it is, nobody else's request may fail by it, and the next fetch comes.
            if (!_ending.IsCancellationRequested && _trouble.IsNews())
            {
                LogUnreachable(_logger, _address, OneLine(error), _current is null ? "No token can be verified until then: they get 503"
                    : "Tokens that are signed by a key known before are still verified; others get 503", GoDuration.Format(Least));
            }

            return false;
        }
    }

    private void Adopt(TokenKeySet keys)
    {
        bool areNews = _current?.Names != keys.Names || _trouble.Lasts;
        _current = keys;
        _trouble.End();
        if (areNews)
        {
            LogKeys(_logger, _address, keys.Names);
        }
    }

    // The cause is inside: that a document could not be had is known.
    private static string OneLine(Exception error) => error.GetBaseException().Message.ReplaceLineEndings(" ").TrimEnd('.');

    [LoggerMessage(Level = LogLevel.Information, Message = "Fetched the keys of users' tokens from {Address}: {Keys}")]
    private static partial void LogKeys(ILogger logger, string address, string keys);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "Cannot fetch the keys of users' tokens from {Address}: {Reason}. {Effect}. The node asks again when a token needs it, at most "
            + "every {Least}; check JWT_ISSUER and the network")]
    private static partial void LogUnreachable(ILogger logger, string address, string reason, string effect, string least);

    // The page names where the keys are: that has to be as safe as the page itself.
    private sealed class Documents(HttpClient client) : IDocumentRetriever
    {
        public Task<string> GetDocumentAsync(string address, CancellationToken cancel) =>
            Uri.TryCreate(address, UriKind.Absolute, out Uri? url) && TokenOptionTable.IsSafe(url) ? client.GetStringAsync(url, cancel)
                : throw new InvalidDataException($"{address} is no https URL");
    }
}
