// Where a gateway learns which silos there are.
using System.Net;

namespace Estat.Silo.Forwarding;

/// <summary>The client endpoints of the silos.</summary>
internal interface ISiloList
{
    /// <summary>Those that are active now.</summary>
    /// <exception cref="Exception">Anything: the list cannot be had now.</exception>
    Task<IReadOnlyList<IPEndPoint>> ReadAsync();
}
