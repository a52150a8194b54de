// A node's connection to Redis.
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Estat.Base.Options;
using Estat.Http.Options;
using Estat.Silo.Tls;
using StackExchange.Redis;

namespace Estat.Silo.Clustering;

/// <summary>
/// One for all that the node does there. It is opened when somebody first needs it, and again until that succeeds; from then on the client connects
/// again by itself. No answer takes longer than <see cref="Longest"/>. What goes wrong is told without credentials and without the client's own
/// advice.
/// </summary>
internal sealed class RedisConnection : IAsyncDisposable
{
    /// <summary>Time for one attempt to connect, and for one answer.</summary>
    internal static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private const int FirstAttempts = 3;
    private const int SoonestAgain = 250;
    private readonly Lock _gate = new();
    private Task<IConnectionMultiplexer>? _opening;
    private int _isClosed;

    /// <exception cref="OptionException">A file of its TLS options cannot be read.</exception>
    internal RedisConnection(RedisOptions options)
    {
        int longest = (int)Longest.TotalMilliseconds;
        Configuration = new ConfigurationOptions
        {
            ClientName = "estat",
            User = options.User,
            Password = options.Password,
            DefaultDatabase = options.Database,
            ConnectRetry = FirstAttempts,
            ConnectTimeout = longest,
            AsyncTimeout = longest,
            SyncTimeout = longest,
            ReconnectRetryPolicy = new ExponentialRetry(SoonestAgain, longest),
            // A user that may touch the cluster's keys alone must be enough: no key and no channel of the client's own.
            TieBreaker = "",
            ConfigurationChannel = "",
            // Messages that a person reads.
            IncludeDetailInExceptions = false,
            IncludePerformanceCountersInExceptions = false,
        };
        foreach (string endpoint in options.Endpoints)
        {
            Configuration.EndPoints.Add(endpoint);
        }

        if (options.Tls)
        {
            Configuration.Ssl = true;
            X509Certificate2Collection? authorities = options.TlsCa is { } authority ? PemFiles.Authorities("REDIS_TLS_CA", authority) : null;
            X509Certificate2? own = options is { TlsCert: { } certificate, TlsKey: { } key }
                ? PemFiles.WithKey("REDIS_TLS_CERT", certificate, key)
                : null;
            Configuration.SslClientAuthenticationOptions = host => Authentication(host, authorities, own);
        }
    }

    /// <summary>What the client is told.</summary>
    internal ConfigurationOptions Configuration { get; }

    /// <summary>The connection, once there is one.</summary>
    /// <exception cref="IOException">There is none now; the message says why.</exception>
    internal Task<IConnectionMultiplexer> OpenAsync()
    {
        lock (_gate)
        {
            if (_opening is null or { IsCompleted: true, IsCompletedSuccessfully: false })
            {
                _opening = ConnectAsync();
            }

            return _opening;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isClosed, 1) == 0 && _opening is { IsCompletedSuccessfully: true } opened)
        {
            IConnectionMultiplexer connection = await opened.ConfigureAwait(false);
            await connection.CloseAsync(allowCommandsToComplete: false).ConfigureAwait(false);
            await connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static SslClientAuthenticationOptions Authentication(string host, X509Certificate2Collection? authorities, X509Certificate2? own)
    {
        var options = new SslClientAuthenticationOptions { TargetHost = host };
        if (own is not null)
        {
            options.ClientCertificates = [own];
        }

        if (authorities is not null)
        {
            options.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck,
            };
            options.CertificateChainPolicy.CustomTrustStore.AddRange(authorities);
        }

        return options;
    }

    // Without the client's exception inside: its base may be of a socket, which at a start reads as if the silo's own port could not be had.
    private async Task<IConnectionMultiplexer> ConnectAsync()
    {
        try
        {
            return await ConnectionMultiplexer.ConnectAsync(Configuration).ConfigureAwait(false);
        }
        catch (RedisConnectionException error)
        {
            throw new IOException(Reason(error));
        }
    }

    private string Reason(RedisConnectionException error)
    {
        string text = $"{error.Message} {error.InnerException?.Message} {error.GetBaseException().Message}".ReplaceLineEndings(" ");
        return error.FailureType == ConnectionFailureType.AuthenticationFailure && Configuration.Ssl && !IsRefusal(text)
            ? $"TLS with it fails: {error.GetBaseException().Message.ReplaceLineEndings(" ").TrimEnd('.')}"
            : IsRefusal(text) ? "it refuses REDIS_USER and REDIS_PASSWORD"
            : $"no connection{(Configuration.Ssl ? " with TLS" : "")} in {FirstAttempts} attempts of {Longest.TotalSeconds:0} s";
    }

    private static bool IsRefusal(string text) =>
        text.Contains("WRONGPASS", StringComparison.Ordinal) || text.Contains("NOAUTH", StringComparison.Ordinal)
        || text.Contains("ERR AUTH", StringComparison.Ordinal);
}
