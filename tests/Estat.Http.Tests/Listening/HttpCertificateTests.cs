// The files of HTTP's certificate: what is wrong with them is told, and a renewal needs no restart.
using Estat.Base.Options;
using Estat.Http.Listening;
using Estat.Http.Options;

namespace Estat.Http.Tests.Listening;

public sealed class HttpCertificateTests : IDisposable
{
    private static readonly TimeSpan Quarter = TimeSpan.FromDays(90);

    private readonly TempFolder _folder = new();
    private readonly ManualTimeProvider _time = new(DateTimeOffset.UtcNow);
    private readonly LogLines _log = new();

    public void Dispose()
    {
        _folder.Dispose();
        _log.Dispose();
    }

    [Fact]
    public void A_renewed_certificate_is_used_without_a_restart()
    {
        Make(Quarter).WriteTo(_folder);
        using HttpCertificate certificate = Open();
        TestCertificate renewed = Make(2 * Quarter);
        renewed.WriteTo(_folder);

        Look(certificate, 1);

        Assert.Equal(renewed.Serial, certificate.InUse.Serial);
        Assert.Contains("new connections get certificate " + renewed.Serial, Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void One_that_cannot_be_used_leaves_the_old_one_and_is_told_once_with_what_to_do()
    {
        TestCertificate first = Make(Quarter);
        first.WriteTo(_folder);
        using HttpCertificate certificate = Open();
        File.WriteAllText(_folder["tls.crt"], "no certificate");

        Look(certificate, 5);

        Assert.Equal(first.Serial, certificate.InUse.Serial);
        string told = Assert.Single(_log.Lines);
        Assert.StartsWith("Error: ", told, StringComparison.Ordinal);
        Assert.Contains("HTTP_TLS_CERT=" + _folder["tls.crt"], told, StringComparison.Ordinal);
        Assert.Contains("Repair the files", told, StringComparison.Ordinal);

        Make(Quarter).WriteTo(_folder);
        Look(certificate, 1);
        Assert.NotEqual(first.Serial, certificate.InUse.Serial);
    }

    [Fact]
    public void Files_that_are_gone_for_a_moment_or_do_not_match_yet_are_no_fault()
    {
        Make(Quarter).WriteTo(_folder);
        using HttpCertificate certificate = Open();
        TestCertificate renewed = Make(Quarter);
        File.Delete(_folder["tls.crt"]);
        Look(certificate, 1);
        File.WriteAllText(_folder["tls.crt"], renewed.Certificate);
        Look(certificate, 1);
        File.WriteAllText(_folder["tls.key"], renewed.Key);
        Look(certificate, 2);

        Assert.Equal(renewed.Serial, certificate.InUse.Serial);
        Assert.DoesNotContain(_log.Lines, line => line.StartsWith("Error", StringComparison.Ordinal));
    }

    [Fact]
    public void One_that_is_about_to_expire_is_told_once_a_day()
    {
        Make(TimeSpan.FromDays(3)).WriteTo(_folder);
        using HttpCertificate certificate = Open();
        Assert.Contains("expires at", Assert.Single(Told()), StringComparison.Ordinal);
        Look(certificate, 10);
        Assert.Single(Told());
        _time.Advance(TimeSpan.FromDays(1)); // in which looks come and go as they like
        Look(certificate, 1);
        Assert.Equal(2, Told().Length);
        _time.Advance(TimeSpan.FromDays(3));
        Look(certificate, 1);
        Assert.StartsWith("Error: ", Told()[^1], StringComparison.Ordinal);
        Assert.Contains("expired at", Told()[^1], StringComparison.Ordinal);

        string[] Told() => [.. _log.Lines.Where(line => line.Contains("expire", StringComparison.Ordinal))];
    }

    [Theory]
    [InlineData("missing", "HTTP_TLS_CERT", "can be read")]
    [InlineData("empty", "HTTP_TLS_CERT", "holds none")]
    [InlineData("broken", "HTTP_TLS_CERT", "of certificates that can be read")]
    [InlineData("no key", "HTTP_TLS_KEY", "holds none")]
    [InlineData("missing key", "HTTP_TLS_KEY", "can be read")]
    [InlineData("encrypted key", "HTTP_TLS_KEY", "without a passphrase (to remove it: openssl pkey")]
    [InlineData("another key", "HTTP_TLS_KEY", "of the first certificate in HTTP_TLS_CERT")]
    [InlineData("broken key", "HTTP_TLS_KEY", "of the first certificate in HTTP_TLS_CERT")]
    public void A_file_that_cannot_be_used_is_told_in_one_line_with_option_value_and_remedy(string what, string option, string says)
    {
        Make(Quarter).WriteTo(_folder);
        switch (what)
        {
            case "missing": File.Delete(_folder["tls.crt"]); break;
            case "empty": File.WriteAllText(_folder["tls.crt"], ""); break;
            case "broken": File.WriteAllText(_folder["tls.crt"], "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n"); break;
            case "no key": File.WriteAllText(_folder["tls.key"], File.ReadAllText(_folder["tls.crt"])); break;
            case "missing key": File.Delete(_folder["tls.key"]); break;
            case "encrypted key": File.WriteAllText(
                _folder["tls.key"], "-----BEGIN ENCRYPTED PRIVATE KEY-----\nQUJD\n-----END ENCRYPTED PRIVATE KEY-----\n"); break;
            case "another key": File.WriteAllText(_folder["tls.key"], Make(Quarter).Key); break;
            default: File.WriteAllText(_folder["tls.key"], "-----BEGIN PRIVATE KEY-----\nQUJD\n-----END PRIVATE KEY-----\n"); break;
        }

        string told = Assert.Throws<OptionException>(() => Open()).Message;

        Assert.StartsWith($"{option}={_folder[option == "HTTP_TLS_CERT" ? "tls.crt" : "tls.key"]}: must be ", told, StringComparison.Ordinal);
        Assert.Contains(says, told, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', told);
    }

    [Fact]
    public void Certificate_and_key_may_be_in_one_file()
    {
        TestCertificate both = Make(Quarter);
        File.WriteAllText(_folder["both.pem"], both.Key + "\n" + both.Certificate);
        using HttpCertificate certificate = HttpCertificate.Of(new HttpOptions { HttpTlsCert = _folder["both.pem"] }, _time, _log)!;
        Assert.Equal(both.Serial, certificate.InUse.Serial);
    }

    private TestCertificate Make(TimeSpan length) => TestCertificate.Create(_time.GetUtcNow(), length);

    private HttpCertificate Open() =>
        HttpCertificate.Of(new HttpOptions { HttpTlsCert = _folder["tls.crt"], HttpTlsKey = _folder["tls.key"] }, _time, _log)!;

    private void Look(HttpCertificate certificate, int times)
    {
        for (int i = 0; i < times; i++)
        {
            UntilLooked();
            _time.Advance(HttpCertificate.CheckInterval);
            UntilLooked();
        }

        void UntilLooked() => Assert.True(certificate.Looking.Wait(TimeSpan.FromSeconds(60)), "waited 60 s for a look at the files to end");
    }
}
