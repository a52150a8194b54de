// The port between a node and what a cluster adds to it.
using Estat.Collect.Batching;
using Estat.Collect.Spooling;
using Estat.Collect.Uploading;

namespace Estat.Collect.Hosting;

/// <summary>Copies of a node's batches on other nodes, and copies of theirs on this one. Its readings are cheap and safe on any thread.</summary>
internal interface IReplication : IDisposable
{
    /// <summary>The copies of this node's batches.</summary>
    IBatchCopies Own { get; }

    /// <summary>Copies of other nodes' batches that are held.</summary>
    int Held { get; }

    /// <summary>Acknowledged events of which there is one copy: own ones whose copy is lost, and others' whose owner is.</summary>
    long UnderReplicated { get; }

    /// <summary>Bytes of the copies that are held.</summary>
    long Bytes { get; }

    /// <summary>Copies that this node has to store.</summary>
    int Waiting { get; }

    /// <summary>Whether nothing is being stored and nothing is due.</summary>
    bool IsIdle { get; }

    /// <summary>Whether the folder of the copies was removed or replaced.</summary>
    bool IsGone { get; }

    /// <summary>Takes the folder. Called once, before anything else but <see cref="Own"/>.</summary>
    /// <param name="backlogOf">Makes what stores the segments of a spool.</param>
    /// <param name="storage">Whether the store answers.</param>
    /// <exception cref="IOException">The folder is owned by another process or cannot be written.</exception>
    void Open(Func<Spool, SpoolBacklog> backlogOf, StorageState storage);

    /// <summary>Starts the writer of copies; acknowledgements of other nodes depend on it.</summary>
    Task HoldAsync();

    /// <summary>Everything beside <see cref="HoldAsync"/>, until cancelled.</summary>
    IEnumerable<Task> Run(CancellationToken cancellationToken);

    /// <summary>The store answers after it had failed: what waits is due at once.</summary>
    void OnStorageAnswers();

    /// <summary>Finishes all copies now and takes no more.</summary>
    void BeginDrain();

    /// <summary>Takes no more calls. Copies stay where they are, for the next start.</summary>
    void StopHolding();

    /// <summary>Stores what was finished while storage answers, and tells the other nodes what is stored.</summary>
    Task DrainAsync(CancellationToken cancellationToken);
}
