// Where a gateway learns which silos there are.
using System.Net;

namespace Estat.Silo.Clustering;

/// <summary>The client endpoints of the silos.</summary>
internal interface ISiloList : IDisposable
{
    /// <summary>Where the list is, for people.</summary>
    string Description { get; }

    /// <summary>Those that are active now.</summary>
    /// <exception cref="Exception">Anything: the list cannot be read now.</exception>
    Task<IReadOnlyList<IPEndPoint>> ReadAsync();
}
