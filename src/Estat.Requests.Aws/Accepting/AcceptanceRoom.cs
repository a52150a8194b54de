// How many submissions may be under way.
using Estat.Requests.Storing;

namespace Estat.Requests.Aws.Accepting;

/// <summary>
/// Bounded as the embedded store's queue is: so many submissions and so many bytes, of which one campaign may hold half. Any thread.
/// </summary>
/// <param name="most">REQUESTS_QUEUE.</param>
/// <param name="mostBytes">REQUESTS_QUEUE_BYTES.</param>
internal sealed class AcceptanceRoom(int most, long mostBytes)
{
    private readonly SubmissionBounds _bounds = new(most, mostBytes);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (int Count, long Bytes)> _byCampaign = new(StringComparer.Ordinal);
    private int _count;
    private long _bytes;
    private bool _isDraining;

    /// <summary>Submissions under way.</summary>
    internal int Count => Volatile.Read(ref _count);

    /// <summary>Takes room.</summary>
    /// <returns>Null; or why there is none.</returns>
    internal AcceptanceOutcome? TryEnter(Submission submission)
    {
        lock (_gate)
        {
            (int count, long bytes) = _byCampaign.GetValueOrDefault(submission.CampaignId);
            int size = submission.Body.Length;
            if (_isDraining)
            {
                return AcceptanceOutcome.Draining;
            }

            if (!_bounds.HasRoom((_count, _bytes), (count, bytes), size))
            {
                return AcceptanceOutcome.QueueFull;
            }

            _byCampaign[submission.CampaignId] = (count + 1, bytes + size);
            _count++;
            _bytes += size;
            return null;
        }
    }

    /// <summary>Gives room back.</summary>
    internal void Leave(Submission submission)
    {
        lock (_gate)
        {
            (int count, long bytes) = _byCampaign[submission.CampaignId];
            _byCampaign[submission.CampaignId] = (count - 1, bytes - submission.Body.Length);
            _count--;
            _bytes -= submission.Body.Length;
        }
    }

    /// <summary>No more submissions.</summary>
    internal void Drain()
    {
        lock (_gate)
        {
            _isDraining = true;
        }
    }
}
