// TLS between nodes: every node has a certificate of the cluster's own authority, and both sides check the other's.
using System.Security.Cryptography.X509Certificates;
using Estat.Base.Options;
using Estat.Http.Options;
using Orleans.Connections.Security;

namespace Estat.Silo.Tls;

/// <summary>
/// Nodes are reached by address, and addresses change: what counts is who signed a certificate, not the name in it. So the authority must sign
/// nothing but this cluster's nodes.
/// </summary>
internal sealed class NodeTls
{
    private const string AnyNode = "estat";
    private readonly X509Certificate2 _own;
    private readonly X509Certificate2Collection _authorities;

    private NodeTls(string certificate, string key, string authority)
    {
        _own = PemFiles.WithKey("TLS_CERT", certificate, key);
        _authorities = PemFiles.Authorities("TLS_CA", authority);
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

    private bool IsOurs(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }
}
