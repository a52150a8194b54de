// How a door answers.
using Estat.Http.Intake;

namespace Estat.Collect.Intake;

/// <summary>The end of one request at its door; exactly one of these is called, once, and perhaps on a thread that syncs. A struct, so that a request
/// that waits for its ack waits with one object.</summary>
internal interface IEventAnswer
{
    /// <summary>Answers 200 or 202.</summary>
    Task AcknowledgeAsync(Acknowledgement acknowledgement);

    /// <summary>Counts a refusal and answers with it.</summary>
    Task RefuseAsync(Refusal refusal);
}
