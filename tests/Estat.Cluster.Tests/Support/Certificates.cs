// An authority and the certificates that it signs, as PEM files.
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Estat.Http.Options;

namespace Estat.Cluster.Tests.Support;

/// <summary>Made for one test; a day's validity.</summary>
internal sealed class Certificates : IDisposable
{
    private readonly TempFolder _folder;
    private readonly string _name;
    private readonly X509Certificate2 _authority;

    internal Certificates(TempFolder folder, string name)
    {
        _folder = folder;
        _name = name;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        _authority = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
        File.WriteAllText(folder[name + ".pem"], _authority.ExportCertificatePem());
    }

    /// <summary>The options of a node that has a certificate of this authority.</summary>
    internal ClusterOptions Give(ClusterOptions node, string nodeName)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={nodeName}", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.Create(
            _authority, DateTimeOffset.UtcNow.AddMinutes(-30), DateTimeOffset.UtcNow.AddHours(12), RandomNumberGenerator.GetBytes(8));
        string file = _folder[$"{_name}-{nodeName}"];
        File.WriteAllText(file + ".pem", certificate.ExportCertificatePem());
        File.WriteAllText(file + ".key", key.ExportPkcs8PrivateKeyPem());
        return node with { TlsCert = file + ".pem", TlsKey = file + ".key", TlsCa = _folder[_name + ".pem"] };
    }

    public void Dispose() => _authority.Dispose();
}
