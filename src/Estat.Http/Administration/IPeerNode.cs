// The other nodes of a cluster, as a gateway or a silo reaches them.
namespace Estat.Http.Administration;

/// <summary>Another node.</summary>
internal interface IPeerNode
{
    /// <summary>What it is called while it has not said its name.</summary>
    string Address { get; }

    /// <summary>Has it answer.</summary>
    /// <exception cref="Exception">It cannot be reached or does not answer; the message says why.</exception>
    Task<AdminReply> AskAsync(AdminRequest request, CancellationToken cancellationToken);
}

/// <summary>The nodes that there are beside this one.</summary>
internal interface IPeerNodes
{
    /// <summary>All of them, also those that do not answer.</summary>
    IReadOnlyList<IPeerNode> All { get; }
}

/// <summary>A node by itself.</summary>
internal sealed class NoPeers : IPeerNodes
{
    /// <inheritdoc/>
    public IReadOnlyList<IPeerNode> All => [];
}
