// TLS between nodes: every node has a certificate of the cluster's own authority, and both sides check the other's.
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Estat.Base.Files;
using Estat.Base.Options;
using Estat.Collect.Options;
using Orleans.Connections.Security;

namespace Estat.Silo.Hosting;

/// <summary>
/// Nodes are reached by address, and addresses change: what counts is who signed a certificate, not the name in it. So the authority must sign nothing but
/// this cluster's nodes.
/// </summary>
internal sealed class NodeTls
{
    private const string AnyNode = "estat";
    private const int LongestFile = 1 << 20;
    private readonly X509Certificate2 _own;
    private readonly X509Certificate2Collection _authorities = [];

    private NodeTls(string certificate, string key, string authority)
    {
        _own = Load("TLS_CERT", certificate, () => X509Certificate2.CreateFromPem(Read(certificate), Read(key)));
        _ = Load("TLS_CA", authority, () =>
        {
            _authorities.ImportFromPem(Read(authority));
            return _authorities.First();
        });
    }

    /// <summary>What the options ask for; null without TLS.</summary>
    /// <exception cref="OptionException">A file cannot be read.</exception>
    internal static NodeTls? Of(ClusterOptions options) =>
        options is { TlsCert: { } certificate, TlsKey: { } key, TlsCa: { } authority } ? new NodeTls(certificate, key, authority) : null;

    /// <summary>Sets both roles of a connection.</summary>
    internal void Apply(TlsOptions tls)
    {
        tls.LocalCertificate = _own;
        tls.RemoteCertificateMode = RemoteCertificateMode.RequireCertificate;
        tls.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
        tls.RemoteCertificateValidation = (certificate, _, _) => IsOurs(certificate);
        tls.LocalClientCertificateSelector = (_, _, _, _, _) => _own;
        tls.OnAuthenticateAsClient = (_, client) => client.TargetHost = AnyNode;
    }

    // What is no file, such as a named pipe, must not keep the node from starting or from ending.
    private static string Read(string path) => RegularFile.ReadAllText(path, LongestFile);

    private static X509Certificate2 Load(string option, string path, Func<X509Certificate2> load)
    {
        try
        {
            return load();
        }
        catch (Exception error) when (error is CryptographicException or IOException or UnauthorizedAccessException or InvalidOperationException or ArgumentException)
        {
            throw new OptionException($"{option}={path}: takes a PEM file that can be read ({error.Message.ReplaceLineEndings(" ").TrimEnd('.')}).");
        }
    }

    private bool IsOurs(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }
}
