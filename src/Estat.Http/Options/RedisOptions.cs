// How a cluster's node reaches the Redis that holds its membership, with CLUSTERING=redis.

namespace Estat.Http.Options;

/// <summary>Already checked. Units and bounds stand at each entry of <see cref="RedisOptionTable"/>.</summary>
public sealed record RedisOptions
{
    /// <summary>As host:port: one server, a primary and its replicas, or nodes of one Redis Cluster.</summary>
    public IReadOnlyList<string> Endpoints { get; init; } = [];

    /// <summary>The user of its access control list; null is its default user.</summary>
    public string? User { get; init; }

    /// <summary>That user's password; null if it asks for none.</summary>
    public string? Password { get; init; }

    /// <summary>The number of the database.</summary>
    public int Database { get; init; }

    /// <summary>Keys are this, the cluster's id, and what they hold, with slashes between.</summary>
    public string KeyPrefix { get; init; } = "estat";

    /// <summary>Whether connections are encrypted and the server's certificate is checked.</summary>
    public bool Tls { get; init; }

    /// <summary>PEM file of the authority that signed the server's certificate; null is the machine's authorities.</summary>
    public string? TlsCa { get; init; }

    /// <summary>PEM file of the certificate that this node shows; null is none.</summary>
    public string? TlsCert { get; init; }

    /// <summary>PEM file of its private key.</summary>
    public string? TlsKey { get; init; }

    /// <summary>Without the password.</summary>
    public override string ToString() => string.Join(',', Endpoints);
}
