// The kinds of request that an EventSender sends, a kind for each connection.

namespace Estat.Testing;

/// <summary>What the requests of one connection are like.</summary>
/// <param name="Level">The ack level that an answer 200 has to have reached.</param>
/// <param name="Named">Whether the request asks for it by header; if not, it has to be the server's own.</param>
/// <param name="Events">Events in a request: 1 goes to <c>/collect</c>, more go as NDJSON to <c>/collect/batch</c>.</param>
public sealed record RequestKind(string Level = AckNames.Memory, bool Named = false, int Events = 1);
