// The certificate of HTTP_ADDR: read at the start, and again whenever its files change.
using System.Diagnostics.Metrics;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Estat.Base.Files;
using Estat.Base.Logging;
using Estat.Base.Options;
using Estat.Http.Options;

namespace Estat.Http.Listening;

/// <summary>
/// What is handed to handshakes is always a pair of certificate and key that was whole. Files are compared by their content, so that it does not
/// matter how a renewal replaces them: written over, renamed, or by way of a link as Kubernetes does. A pair that cannot be used leaves the old one
/// in place.
/// </summary>
internal sealed partial class HttpCertificate : IDisposable
{
    /// <summary>Time between two looks at the files.</summary>
    internal static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(5);

    private const int LongestFile = 1 << 20;
    private const string CertificateOption = "HTTP_TLS_CERT";
    private const string KeyOption = "HTTP_TLS_KEY";
    private const string CertificateLabel = "-----BEGIN CERTIFICATE-----";
    private const string KeyLabel = "PRIVATE KEY-----";
    private const string EncryptedKeyLabel = "ENCRYPTED";
    private static readonly TimeSpan Soon = TimeSpan.FromDays(7);
    private static readonly TimeSpan BetweenWarnings = TimeSpan.FromDays(1);
    private static readonly List<SslApplicationProtocol> Protocols = [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11];

    private readonly string _certificatePath;
    private readonly string _keyPath;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly FileChore _looking;
    private readonly ToldFault _told = new();
    private (string Certificate, string Key) _used;
    private string? _fault;
    private TellLimit _warnings;
    private long _failures;
    private volatile Pair _current;

    private HttpCertificate(string certificatePath, string keyPath, TimeProvider time, ILogger logger)
    {
        _certificatePath = certificatePath;
        _keyPath = keyPath;
        _time = time;
        _logger = logger;
        _used = Read();
        _current = Load(_used);
        _warnings = new TellLimit(BetweenWarnings, time);
        WarnOfExpiry();
        _looking = new FileChore(CheckInterval, time, _ => Check(), () => Tell("reading the files hangs; check their disk."));
        _looking.Start();
    }

    /// <summary>How handshakes are made now.</summary>
    internal SslServerAuthenticationOptions Current => _current.Options;

    /// <summary>The serial number of the certificate that is used now, and until when it holds.</summary>
    internal (string Serial, DateTime Expires) InUse => (_current.Certificate.SerialNumber, _current.Certificate.NotAfter.ToUniversalTime());

    /// <summary>What the options ask for; null without TLS.</summary>
    /// <exception cref="OptionException">A file cannot be read, or does not hold what it should.</exception>
    internal static HttpCertificate? Of(HttpOptions options, TimeProvider time, ILoggerFactory loggers) =>
        options.HttpTlsCert is { } certificate
            ? new HttpCertificate(certificate, options.HttpTlsKey ?? certificate, time, loggers.CreateLogger<HttpCertificate>()) : null;

    /// <summary>Adds what there is to read of it.</summary>
    internal void Observe(Meter meter)
    {
        meter.CreateObservableGauge(
            "estat_tls_certificate_expires_seconds", () => (InUse.Expires - _time.GetUtcNow().UtcDateTime).TotalSeconds, "s",
            "Time until the certificate in use (HTTP_TLS_CERT) expires; negative once it has expired");
        meter.CreateObservableCounter(
            "estat_tls_certificate_reload_errors_total",
            () => Volatile.Read(ref _failures), description: "Certificates that were put into HTTP_TLS_CERT and could not be used");
    }

    /// <summary>The look under way, or the last one.</summary>
    internal Task Looking => _looking.Round;

    /// <inheritdoc/>
    public void Dispose() => _looking.Dispose();

    // Looks at the files, and takes what they hold if it is new and sound.
    private void Check()
    {
        string? fault = TakeNew();
        // Only what is still wrong at the next look, and once: a renewal writes two files, one after the other.
        if (fault is null)
        {
            _told.End();
        }
        else if (fault == _fault && _told.IsNews(fault))
        {
            Tell(fault);
        }

        _fault = fault;
        WarnOfExpiry();
    }

    private void Tell(string fault)
    {
        Interlocked.Increment(ref _failures);
        LogNotReloaded(_logger, fault, InUse.Serial, InUse.Expires);
    }

    private string? TakeNew()
    {
        try
        {
            (string, string) found = Read();
            if (found != _used)
            {
                _current = Load(found);
                _used = found;
                _warnings = new TellLimit(BetweenWarnings, _time);
                LogReloaded(_logger, _certificatePath, InUse.Serial, InUse.Expires);
            }

            return null;
        }
        catch (OptionException error)
        {
            return error.Message;
        }
    }

    private void WarnOfExpiry()
    {
        TimeSpan left = InUse.Expires - _time.GetUtcNow().UtcDateTime;
        if (left > Soon || !_warnings.IsDue())
        {
            return;
        }

        if (left > TimeSpan.Zero)
        {
            LogExpiresSoon(_logger, _certificatePath, InUse.Expires);
        }
        else
        {
            LogExpired(_logger, _certificatePath, InUse.Expires);
        }
    }

    private (string Certificate, string Key) Read() => (ReadFile(CertificateOption, _certificatePath), ReadFile(KeyOption, _keyPath));

    private static string ReadFile(string option, string path)
    {
        try
        {
            return RegularFile.ReadAllText(path, LongestFile);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw Wrong(option, path, $"a PEM file that can be read ({error.Message.ReplaceLineEndings(" ").TrimEnd('.')})");
        }
    }

    private Pair Load((string Certificate, string Key) text)
    {
        if (!text.Certificate.Contains(CertificateLabel, StringComparison.Ordinal))
        {
            throw Wrong(CertificateOption, _certificatePath,
                "a PEM file with the certificate and, after it, those that signed it; this file holds none (to convert a .pfx: openssl pkcs12 -in "
                    + "FILE.pfx -nodes)");
        }

        if (!text.Key.Contains(KeyLabel, StringComparison.Ordinal))
        {
            throw Wrong(KeyOption, _keyPath, "a PEM file with the certificate's private key; this file holds none");
        }

        if (text.Key.Contains(EncryptedKeyLabel, StringComparison.Ordinal))
        {
            throw Wrong(KeyOption, _keyPath, "a private key without a passphrase (to remove it: openssl pkey -in FILE -out NEW)");
        }

        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(text.Certificate);
        }
        catch (CryptographicException error)
        {
            throw Wrong(CertificateOption, _certificatePath,
                $"a PEM file of certificates that can be read ({error.Message.ReplaceLineEndings(" ").TrimEnd('.')})");
        }

        try
        {
            var certificate = X509Certificate2.CreateFromPem(text.Certificate, text.Key);
            chain.RemoveAt(0);
            return new Pair(certificate, new SslServerAuthenticationOptions
            {
                ServerCertificateContext = SslStreamCertificateContext.Create(certificate, chain, offline: true),
                EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
                ApplicationProtocols = Protocols,
                AllowRenegotiation = false,
            });
        }
        catch (Exception error) when (error is CryptographicException or ArgumentException)
        {
            throw Wrong(KeyOption, _keyPath, $"the private key of the first certificate in {CertificateOption}={_certificatePath} "
                + $"({error.Message.ReplaceLineEndings(" ").TrimEnd('.')})");
        }
    }

    private static OptionException Wrong(string option, string path, string takes) => new($"{option}={path}: must be {takes}.");

    private sealed record Pair(X509Certificate2 Certificate, SslServerAuthenticationOptions Options);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Path} has changed: new connections get certificate {Serial}, which is valid until {Expires:u}")]
    private static partial void LogReloaded(ILogger logger, string path, string serial, DateTime expires);

    [LoggerMessage(
        Level = LogLevel.Error,
        Message = "The certificate's files have changed, and the server cannot use them: {Fault} New connections still get certificate {Serial}, "
            + "which is valid until {Expires:u}. Repair the files; no restart is needed")]
    private static partial void LogNotReloaded(ILogger logger, string fault, string serial, DateTime expires);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The certificate in {Path} expires at {Expires:u}. Put a new one there; no restart is needed")]
    private static partial void LogExpiresSoon(ILogger logger, string path, DateTime expires);

    [LoggerMessage(Level = LogLevel.Error,
        Message = "The certificate in {Path} expired at {Expires:u}, and clients refuse it. Put a new one there; no restart is needed")]
    private static partial void LogExpired(ILogger logger, string path, DateTime expires);
}
