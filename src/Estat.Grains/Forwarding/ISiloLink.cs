// The port between a gateway and the silos that keep what it receives.
using System.Diagnostics;
using Estat.Base.Acks;

namespace Estat.Grains.Forwarding;

/// <summary>Events of one level and prefix on their way from a gateway to a silo, all taken or none.</summary>
/// <param name="Level">The level that all of them ask for.</param>
/// <param name="Partition">Which of the silo's batch grains takes it, from 0.</param>
/// <param name="Events">Lines.</param>
/// <param name="Lines">Whole JSONL lines, each ended by a line feed. Valid until the call that carries it completes.</param>
/// <param name="Prefix">The key prefix of the objects that all of them go to; null is the silo's <c>RAW_PREFIX</c>.</param>
/// <param name="Requests">Traced requests that brought them, which the silo's batch links to; null when there are none.</param>
public readonly record struct Packet(
    AckLevel Level, int Partition, int Events, ReadOnlyMemory<byte> Lines, string? Prefix = null, IReadOnlyList<ActivityContext>? Requests = null);

/// <summary>The packet certainly did not reach the silo: it may be sent to another one.</summary>
public sealed class NotTakenException(string message) : Exception(message);

/// <summary>A connection to one silo.</summary>
public interface ISiloLink
{
    /// <summary>The silo's name, for people.</summary>
    string Name { get; }

    /// <summary>Has a packet taken. The answer is the silo's own: also why it did not.</summary>
    /// <exception cref="NotTakenException">It was certainly not taken.</exception>
    /// <exception cref="Exception">Anything else: nobody knows. Ends within SILO_TIMEOUT (at <c>stored</c> that much after the silo's own
    /// limit).</exception>
    Task<Ack> SendAsync(Packet packet);

    /// <summary>Whether the silo answers and takes events. Asked of a silo that failed or is draining, one probe at a time.</summary>
    /// <exception cref="Exception">Anything: it does not. Ends within SILO_TIMEOUT.</exception>
    Task<bool> ProbeAsync();
}

/// <summary>The silos that there are.</summary>
public interface ISiloLinks
{
    /// <summary>A link to each; the list is replaced when membership changes, never changed.</summary>
    IReadOnlyList<ISiloLink> All { get; }
}
