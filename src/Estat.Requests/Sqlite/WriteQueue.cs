// What waits for the writer: submissions of many campaigns in turns, and everything else in order.
using Estat.Requests.Storing;

namespace Estat.Requests.Sqlite;

/// <summary>
/// Bounded: <paramref name="most"/> submissions and <paramref name="mostBytes"/>, of which one campaign may hold half, so that the flood of one
/// leaves room for the others. Taken in turns, one of each campaign that has any. Any thread adds; the writer takes.
/// </summary>
/// <param name="most">Submissions.</param>
/// <param name="mostBytes">Bytes of their bodies.</param>
internal sealed class WriteQueue(int most, long mostBytes) : IDisposable
{
    private readonly SubmissionBounds _bounds = new(most, mostBytes);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Line> _byCampaign = new(StringComparer.Ordinal);
    private readonly Queue<Line> _turns = new();
    private readonly Queue<StoreWrite> _writes = new();

    // Not a SemaphoreSlim, which spins before it sleeps: the cores have better to do.
    private readonly AutoResetEvent _wake = new(initialState: false);
    private int _submissions;
    private long _bytes;
    private bool _sleeps;
    private bool _isDraining;
    private bool _isClosed;

    /// <summary>Submissions that wait.</summary>
    internal int Submissions => Volatile.Read(ref _submissions);

    /// <summary>Adds a submission.</summary>
    /// <returns>Null; or why there is no room for it.</returns>
    internal AcceptanceOutcome? TryAdd(PendingAcceptance pending)
    {
        bool wake;
        lock (_gate)
        {
            if (_isDraining)
            {
                return AcceptanceOutcome.Draining;
            }

            if (!_byCampaign.TryGetValue(pending.Submission.CampaignId, out Line? line))
            {
                _byCampaign.Add(pending.Submission.CampaignId, line = new Line());
            }

            int bytes = pending.Submission.Body.Length;
            if (!_bounds.HasRoom((_submissions, _bytes), (line.Waiting.Count, line.Bytes), bytes))
            {
                return AcceptanceOutcome.QueueFull;
            }

            if (line.Waiting.Count == 0)
            {
                _turns.Enqueue(line);
            }

            line.Waiting.Enqueue(pending);
            line.Bytes += bytes;
            _bytes += bytes;
            _submissions++;
            wake = TakeSleep();
        }

        Wake(wake);
        return null;
    }

    /// <summary>Adds another write.</summary>
    /// <exception cref="StoreException">The store has ended.</exception>
    internal void Add(StoreWrite write)
    {
        bool wake;
        lock (_gate)
        {
            if (_isClosed)
            {
                throw new StoreException("The store of requests has ended");
            }

            _writes.Enqueue(write);
            wake = TakeSleep();
        }

        Wake(wake);
    }

    /// <summary>No more submissions.</summary>
    internal void Drain()
    {
        lock (_gate)
        {
            _isDraining = true;
        }
    }

    /// <summary>Nothing more; the writer ends once it is empty.</summary>
    internal void Close()
    {
        lock (_gate)
        {
            _isDraining = _isClosed = true;
        }

        _wake.Set();
    }

    /// <summary>Takes what waits; for the writer.</summary>
    /// <param name="most">Submissions at most.</param>
    /// <param name="submissions">Gets them.</param>
    /// <param name="writes">Gets all others.</param>
    /// <param name="patience">How long to wait if there is nothing.</param>
    /// <returns>False once there is nothing and nothing will come.</returns>
    internal bool Take(int most, List<PendingAcceptance> submissions, List<StoreWrite> writes, TimeSpan patience)
    {
        if (!TryTake(most, submissions, writes, mayCome: patience > TimeSpan.Zero, out bool isClosed) && !isClosed && patience > TimeSpan.Zero)
        {
            _wake.WaitOne(patience);
            TryTake(most, submissions, writes, mayCome: false, out isClosed);
        }

        return !isClosed || submissions.Count + writes.Count > 0;
    }

    public void Dispose() => _wake.Dispose();

    private bool TryTake(int most, List<PendingAcceptance> submissions, List<StoreWrite> writes, bool mayCome, out bool isClosed)
    {
        lock (_gate)
        {
            _sleeps = false;
            while (_writes.TryDequeue(out StoreWrite? write))
            {
                writes.Add(write);
            }

            while (submissions.Count < most && _turns.TryDequeue(out Line? line))
            {
                PendingAcceptance pending = line.Waiting.Dequeue();
                submissions.Add(pending);
                line.Bytes -= pending.Submission.Body.Length;
                _bytes -= pending.Submission.Body.Length;
                _submissions--;
                if (line.Waiting.Count > 0)
                {
                    _turns.Enqueue(line);
                }
            }

            isClosed = _isClosed;
            bool any = submissions.Count + writes.Count > 0;
            _sleeps = !any && mayCome;
            return any;
        }
    }

    private bool TakeSleep()
    {
        bool sleeps = _sleeps;
        _sleeps = false;
        return sleeps;
    }

    private void Wake(bool wake)
    {
        try
        {
            if (wake)
            {
                _wake.Set();
            }
        }
        catch (ObjectDisposedException)
        {
            // What it came for was taken meanwhile, and the writer has ended.
        }
    }

    // What waits of one campaign.
    private sealed class Line
    {
        internal Queue<PendingAcceptance> Waiting { get; } = new();

        internal long Bytes { get; set; }
    }
}
