// Where requests of a replay go.
namespace Estat.Lake.Replaying;

/// <summary>What became of a request.</summary>
/// <param name="IsTaken">False: given up, because the replay is to end; not known to be taken.</param>
/// <param name="Rejected">Events that will never be taken: index and reason.</param>
/// <param name="WasUncertain">Whether it was sent again after nobody knew whether it had been taken.</param>
internal sealed record ReplayAnswer(bool IsTaken, IReadOnlyList<(int Index, string Reason)> Rejected, bool WasUncertain);

/// <summary>A server's way in. Safe for concurrent use.</summary>
internal interface IReplayTarget
{
    /// <summary>Sends until it is taken, or refused for good.</summary>
    /// <param name="request">What.</param>
    /// <param name="asked">Ends waiting between attempts, not an attempt.</param>
    Task<ReplayAnswer> SendAsync(ReplayRequest request, CancellationToken asked);
}
