// What a node gives to what it does.
using Estat.Http.Bodies;
using Estat.Http.Options;

namespace Estat.Http;

/// <summary>Shared by all capabilities of a node.</summary>
/// <param name="Http">Limits of the listener, and who may ask what.</param>
/// <param name="Time">The clock.</param>
/// <param name="Loggers">Where everything is logged.</param>
/// <param name="Stopping">Completes when the node begins to drain.</param>
/// <param name="Relief">Is told of requests that hold much memory.</param>
internal sealed record NodeServices(HttpOptions Http, TimeProvider Time, ILoggerFactory Loggers, Task Stopping, HeapRelief Relief);
