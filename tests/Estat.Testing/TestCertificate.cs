// A certificate that nobody but the test knows, as the two PEM files that an operator has.
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Estat.Testing;

/// <summary>Signed by itself, for localhost and 127.0.0.1.</summary>
public sealed record TestCertificate(string Certificate, string Key, string Serial)
{
    /// <summary>Makes one that holds from yesterday for so long.</summary>
    public static TestCertificate Create(DateTimeOffset now, TimeSpan length)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=estat.test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.CreateSelfSigned(now - TimeSpan.FromDays(1), now + length);
        return new TestCertificate(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), certificate.SerialNumber);
    }

    /// <summary>Writes both files, as tls.crt and tls.key.</summary>
    public void WriteTo(TempFolder folder)
    {
        File.WriteAllText(folder["tls.crt"], Certificate);
        File.WriteAllText(folder["tls.key"], Key);
    }
}
