// What the silos themselves do for the rows of a membership table, beside what Orleans does.
namespace Estat.Silo.Clustering;

/// <summary>A copy of the table's rows, by which they can be put back. One caller.</summary>
internal interface IMembershipRows
{
    /// <summary>Which table, for people.</summary>
    string Description { get; }

    /// <summary>Reads the table. The copy is replaced if this silo's own row is in the table, and stays as it is if not.</summary>
    /// <returns>Whether this silo's own row is in the table.</returns>
    /// <exception cref="Exception">Anything: the table cannot be read now.</exception>
    Task<bool> TryCopyAsync(SiloAddress self, CancellationToken cancellationToken);

    /// <summary>Whether the copy has that silo's row.</summary>
    bool Has(SiloAddress silo);

    /// <summary>
    /// Puts back the copied rows of these silos; rows that are there already are left alone. The table's version becomes this one, unless it is
    /// later: silos ignore a table with an earlier version than they know, and a silo that is not in a later one takes itself for dead.
    /// </summary>
    /// <exception cref="Exception">Anything: rows may still be missing.</exception>
    Task PutBackAsync(IReadOnlyCollection<SiloAddress> silos, long version, CancellationToken cancellationToken);
}
