// A run of lines that goes out as one request.
namespace Estat.Cli.Send;

/// <summary>One non-blank line of a request.</summary>
/// <param name="Start">Where it begins in the request's body.</param>
/// <param name="Length">Bytes, without the line end.</param>
/// <param name="Number">Its line in the file, from 1.</param>
/// <param name="Offset">Its first byte in the file's content.</param>
internal readonly record struct SendLine(int Start, int Length, long Number, long Offset);

/// <summary>A line that was not taken, and why.</summary>
/// <param name="Number">Its line in the file, from 1.</param>
/// <param name="Reason">One sentence.</param>
/// <param name="Line">Its bytes; null for one too long to be kept.</param>
internal sealed record RejectedLine(long Number, string Reason, ReadOnlyMemory<byte>? Line);

/// <summary>Immutable; the body is the lines as they stand in the file, blank ones left out.</summary>
/// <param name="From">First byte of it in the content.</param>
/// <param name="To">The byte after its last.</param>
/// <param name="LinesBefore">Lines of the file before it.</param>
/// <param name="LineCount">Lines in it, blank ones and those too long as well.</param>
/// <param name="Body">NDJSON.</param>
/// <param name="Lines">Where each event stands.</param>
/// <param name="TooLong">Lines that were not even read whole.</param>
/// <param name="Sha256">Of all content before <paramref name="To"/>.</param>
internal sealed record SendRequest(
    long From, long To, long LinesBefore, long LineCount, ReadOnlyMemory<byte> Body, IReadOnlyList<SendLine> Lines,
    IReadOnlyList<RejectedLine> TooLong, string Sha256)
{
    /// <summary>It stands in the checkpoint: nothing is to be sent.</summary>
    public bool WasDone { get; init; }
}
