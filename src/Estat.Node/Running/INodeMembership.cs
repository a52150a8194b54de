// The port between a node and the cluster that it is part of.
namespace Estat.Node.Running;

/// <summary>Joined before the node listens, left after its drain.</summary>
internal interface INodeMembership
{
    /// <summary>Time that leaving may take; it is taken from the drain's.</summary>
    TimeSpan Leaving { get; }

    /// <summary>Whether the cluster has ended this node: its exit code is then 1.</summary>
    bool HasFailed { get; }

    /// <summary>Joins. A signal does not wait for it.</summary>
    /// <exception cref="IOException">The cluster cannot be joined; the message says why.</exception>
    Task JoinAsync();

    /// <summary>The node has joined, and will listen next.</summary>
    void OnJoined();

    /// <summary>Leaves; called only for a node that has joined.</summary>
    Task LeaveAsync();

    /// <summary>Lets go of everything, joined or not.</summary>
    Task EndAsync();
}
