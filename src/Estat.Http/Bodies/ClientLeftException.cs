// A request whose client went away before all of it was here.
namespace Estat.Http.Bodies;

/// <summary>Thrown by what reads a body, so that nobody takes it for a failure of the node's own disk or network.</summary>
internal sealed class ClientLeftException(Exception reason) : IOException(reason.Message, reason);
