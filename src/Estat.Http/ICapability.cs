// What Estat does, as the node that does it sees it.
using System.Collections.Frozen;
using System.Diagnostics.Metrics;
using Estat.Http.Answering;
using Estat.Http.FastDoor;
using Estat.Http.Health;
using Estat.Http.Metrics;
using Estat.Http.Routing;

namespace Estat.Http;

/// <summary>
/// One of the things that a node does: it brings its paths, its pages and its readings, and it is started and drained with the node. The node puts
/// several together without knowing one. Calls come in the order of the members, each once; what is read is read at any time, on any thread.
/// </summary>
internal interface ICapability : INodeHealth, IAsyncDisposable
{
    /// <summary>Its name, one word in lower case, for messages.</summary>
    string Name { get; }

    /// <summary>Its readings.</summary>
    Meter Meter { get; }

    /// <summary>The HTTP requests to its paths; the node waits for those in flight when it drains.</summary>
    RequestCounters HttpRequests { get; }

    /// <summary>Who handles which path: exact paths, by case, for everybody. Empty when nothing comes to this node over HTTP.</summary>
    IReadOnlyDictionary<string, PathHandler> Routes { get; }

    /// <summary>Who handles the paths below a first segment, such as <c>/campaigns</c>, for everybody; by case. Asked when no exact path
    /// fits.</summary>
    IReadOnlyDictionary<string, PathHandler> Trees => FrozenDictionary<string, PathHandler>.Empty;

    /// <summary>The paths whose plain requests the fast door takes; all others, and all else, come by <see cref="Routes"/>.</summary>
    IReadOnlyList<IFastRoute> FastRoutes => [];

    /// <summary>Other pages: the operator's, and those that are open to everybody.</summary>
    IReadOnlyList<Page> Pages { get; }

    /// <summary>Writes its part of <c>/openapi.json</c>, with this node's limits; null when it has none. Asked once somebody wants the
    /// document.</summary>
    Func<string>? Describe => null;

    /// <summary>Files that it may have open at once, apart from connections.</summary>
    int FilesNeeded { get; }

    /// <summary>Bytes that a query to one of its paths may have.</summary>
    int LongestQuery { get; }

    /// <summary>Time that letting go of it needs after its drain; it is taken from the drain's.</summary>
    TimeSpan Closing { get; }

    /// <summary>Starts it, before the node listens.</summary>
    void Start();

    /// <summary>The node listens: what the operator should know is logged now.</summary>
    void OnListening();

    /// <summary>The first step of a drain: new requests are turned away, those in flight are still handled.</summary>
    /// <param name="signal">What ends the node.</param>
    /// <param name="limit">Time for all of it.</param>
    void BeginDrain(string signal, TimeSpan limit);

    /// <summary>The rest of its drain; logs what became of it.</summary>
    /// <param name="budget">Time for it.</param>
    /// <param name="hurry">Cancelled when it should leave as it is what the next start can go on with.</param>
    /// <returns>What was lost: 0 unless the disks took nothing.</returns>
    Task<long> DrainAsync(TimeSpan budget, CancellationToken hurry);
}
