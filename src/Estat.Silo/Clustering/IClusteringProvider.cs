// The port behind CLUSTERING: how silos find each other, and how gateways find silos. One implementation for each kind.
namespace Estat.Silo.Clustering;

/// <summary>
/// A node makes one before all else, so that an option that it cannot use ends the start, and disposes of it once nothing needs the table any more;
/// a second time does nothing. Its users must bound each call in time: what stands behind it may hang.
/// </summary>
internal interface IClusteringProvider : IAsyncDisposable
{
    /// <summary>What the node joins, for people. It holds no secret.</summary>
    string Description { get; }

    /// <summary>Whether the membership is a table outside of the silos: it can be read before a silo starts, and somebody may empty it.</summary>
    bool KeepsTable { get; }

    /// <summary>Gives a silo its membership and its reminders, and an <see cref="IMembershipRows"/> if it <see cref="KeepsTable"/>.</summary>
    void AddTo(ISiloBuilder silo);

    /// <summary>The list by which a gateway finds silos; the gateway disposes of it.</summary>
    ISiloList OpenSiloList(ILoggerFactory loggers);
}
