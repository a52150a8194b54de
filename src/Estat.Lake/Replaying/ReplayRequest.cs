// What one request of a replay carries.
namespace Estat.Lake.Replaying;

/// <summary>What becomes of a line.</summary>
internal enum ReplayForm
{
    /// <summary>The event's body is sent again; ts, ip and user_agent become those of the replay, the id stays.</summary>
    Body,

    /// <summary>The whole line is the body of the new event: nothing is lost, readers find one envelope in another.</summary>
    Line,
}

/// <summary>Events of one object, in order. Lines count from 1.</summary>
/// <param name="Key">The object.</param>
/// <param name="FirstLine">The first line that it covers; lines that a filter leaves out are covered as well.</param>
/// <param name="LastLine">The last.</param>
/// <param name="Lines">Of each event, its line.</param>
/// <param name="Content">The body of the request.</param>
/// <param name="Id">Goes along as Idempotency-Key.</param>
/// <param name="IsAlone">One event to <c>/collect</c>, byte for byte; else NDJSON to <c>/collect/batch</c>.</param>
/// <param name="Passed">What it covers and does not carry.</param>
internal sealed record ReplayRequest(
    string Key, long FirstLine, long LastLine, IReadOnlyList<long> Lines, ReadOnlyMemory<byte> Content, string Id, bool IsAlone, PassedLines Passed);

/// <summary>Lines that are not replayed.</summary>
/// <param name="LeftOut">How many the filter or the range left out.</param>
/// <param name="Faults">Those that cannot be sent, with what is wrong.</param>
internal sealed record PassedLines(long LeftOut, IReadOnlyList<(long Line, string Fault)> Faults);
