// Who may send, and over what: the files of write keys and of the certificate.
using System.Globalization;
using Estat.Api.Options;
using Estat.Base.Access;
using Estat.Base.Options;
using Estat.Http.Listening;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Cli.Check;

/// <summary>Reads both as the server does at its start.</summary>
internal static class AccessCheck
{
    private const string KeysCheck = "write keys";
    private const string TlsCheck = "tls";
    private static readonly TimeSpan Soon = TimeSpan.FromDays(14);

    internal static IEnumerable<Finding> Find(EstatOptions options, TimeProvider time)
    {
        yield return Keys(options, time);
        if (Certificate(options, time) is { } finding)
        {
            yield return finding;
        }
    }

    private static Finding Keys(EstatOptions options, TimeProvider time)
    {
        try
        {
            using WriteKeys? keys = WriteKeys.Open(options.WriteKeys, time, NullLogger.Instance);
            return keys is null ? Finding.Good(KeysCheck, "none is configured: every client that reaches HTTP_ADDR may send")
                : keys.Table.Senders.Count == 0
                    ? Finding.Warning(KeysCheck, "the file holds no key: nobody may send", "make one: estat keys new --name NAME")
                : Finding.Good(KeysCheck, $"{keys.Table.Senders.Count.ToString(CultureInfo.InvariantCulture)} configured");
        }
        catch (OptionException error)
        {
            return Finding.Bad(KeysCheck, error.Message,
                "repair it (docs/keys.md describes it, estat keys list reads it); the server does not start with it");
        }
    }

    private static Finding? Certificate(EstatOptions options, TimeProvider time)
    {
        try
        {
            using HttpCertificate? certificate = HttpCertificate.Of(options.Http, time, NullLoggerFactory.Instance);
            if (certificate is null)
            {
                return null;
            }

            DateTime expires = certificate.InUse.Expires;
            string until = expires.ToString("yyyy-MM-dd HH:mm'Z'", CultureInfo.InvariantCulture);
            return expires <= time.GetUtcNow().UtcDateTime
                ? Finding.Bad(TlsCheck, $"{options.Http.HttpTlsCert} expired {until}", "renew it: clients refuse it")
                : expires - time.GetUtcNow().UtcDateTime < Soon
                    ? Finding.Warning(TlsCheck, $"{options.Http.HttpTlsCert} ends {until}", "renew it; no restart is needed")
                : Finding.Good(TlsCheck, $"{options.Http.HttpTlsCert} holds until {until}");
        }
        catch (OptionException error)
        {
            return Finding.Bad(TlsCheck, error.Message, "put certificate and key there as PEM; the server does not start without them");
        }
    }
}
