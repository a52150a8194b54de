// Outcomes in the database until they are in the lake.
using Estat.Requests.Campaigns;
using Estat.Requests.Storing;
using SQLitePCL;

namespace Estat.Requests.Sqlite;

/// <summary>
/// Numbers rise without gaps, as the writer alone gives them. A batch is a range of numbers with a time; it stands in the row of the store, as there
/// is one at a time.
/// </summary>
internal sealed class OutcomeTable : IDisposable
{
    private readonly Statement _insert;
    private readonly Statement _range;
    private readonly Statement _cut;
    private readonly Statement _drop;
    private Batch _batch;
    private Batch _committed;
    private volatile PendingOutcomes _pending;

    internal OutcomeTable(sqlite3 connection)
    {
        _insert = new Statement(connection, "INSERT INTO outcome VALUES (?,?,?,?,?,?,?,?,?,?,?,?)");
        _range = new Statement(
            connection,
            "SELECT number, campaign, id, sequence, generation, state, reason, attempts, received, queued, processing, final FROM outcome "
            + "WHERE number <= ? ORDER BY number");
        _cut = new Statement(connection, "UPDATE store SET outcome = ?, batch = ?, batch_last = ?, batch_cut = ?");
        _drop = new Statement(connection, "DELETE FROM outcome WHERE number <= ?");
        using var state = new Statement(
            connection,
            "SELECT epoch, outcome, batch, batch_last, batch_cut, (SELECT max(number) FROM outcome), (SELECT count(*) FROM outcome), "
            + "(SELECT min(final) FROM outcome) FROM store");
        state.Step();
        Epoch = state.Text(0)!;
        _batch = _committed = new Batch(
            Math.Max(state.Long(1), state.Long(5)), state.Long(2), state.Long(3), state.Long(4), state.Long(6), state.Long(7));
        state.Reset();
        _pending = PendingOf(_batch);
    }

    /// <summary>The store's life.</summary>
    internal string Epoch { get; }

    /// <summary>What is not in the lake, as of the last commit. Any thread.</summary>
    internal PendingOutcomes Pending => _pending;

    /// <summary>Adds the outcome of a request that has become final.</summary>
    internal void Add(RequestRecord request)
    {
        Span<byte> id = stackalloc byte[RequestId.Size];
        request.Id.WriteBytes(id);
        _batch.Last++;
        _batch.Oldest = _batch.Count++ == 0 ? request.Times.Final : _batch.Oldest;

        _insert.Bind(1, _batch.Last).Bind(2, request.CampaignOrdinal).Bind(3, id).Bind(4, request.Sequence).Bind(5, request.Generation)
            .Bind(6, (long)request.State).Bind(7, request.Reason).Bind(8, request.AttemptsBegun).Bind(9, request.Times.Received)
            .Bind(10, request.Times.Queued).Bind(11, request.Times.Processing).Bind(12, request.Times.Final).Run();
    }

    /// <summary>The batch that is cut, or a new one; null when there is nothing.</summary>
    /// <param name="most">Lines.</param>
    /// <param name="now">The time of the cut.</param>
    /// <param name="nameOf">A campaign's id.</param>
    internal OutcomeBatch? Cut(int most, long now, Func<int, string> nameOf)
    {
        if (_batch.CutLast == 0)
        {
            if (_batch.Count == 0)
            {
                return null;
            }

            _batch.Number++;
            _batch.CutLast = Math.Min(_batch.Last, _batch.Last - _batch.Count + most);
            _batch.CutAt = now;
            Save();
        }

        var outcomes = new List<Outcome>();
        _range.Bind(1, _batch.CutLast);
        while (_range.Step())
        {
            outcomes.Add(new Outcome(
                _range.Long(0), nameOf(_range.Int(1)), RequestId.FromBytes(_range.Bytes(2)), _range.Long(3), _range.Int(4),
                (RequestState)_range.Int(5), _range.Text(6), _range.Int(7),
                new RequestTimes(_range.Long(8), _range.Long(9), _range.Long(10), _range.Long(11))));
        }

        return new OutcomeBatch(_batch.Number, Epoch, DateTimeOffset.FromUnixTimeMilliseconds(_batch.CutAt), outcomes);
    }

    /// <summary>A batch is in the lake: its outcomes go. Another number than that of the batch that is cut changes nothing.</summary>
    internal void Drop(long number, long now)
    {
        if (_batch.CutLast == 0 || _batch.Number != number)
        {
            return;
        }

        _batch.Count -= _drop.Bind(1, _batch.CutLast).Run();
        _batch.CutLast = 0;
        _batch.Oldest = _batch.Count == 0 ? 0 : now; // at the earliest: they came after the cut
        Save();
    }

    /// <summary>The transaction was committed.</summary>
    internal void Commit()
    {
        if (_committed != _batch)
        {
            _committed = _batch;
            _pending = PendingOf(_batch);
        }
    }

    /// <summary>The transaction was rolled back.</summary>
    internal void RollBack() => _batch = _committed;

    public void Dispose()
    {
        _insert.Dispose();
        _range.Dispose();
        _cut.Dispose();
        _drop.Dispose();
    }

    private static PendingOutcomes PendingOf(Batch batch) =>
        new(batch.Count, batch.Oldest == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(batch.Oldest));

    private void Save() => _cut.Bind(1, _batch.Last).Bind(2, _batch.Number).Bind(3, _batch.CutLast).Bind(4, _batch.CutAt).Run();

    /// <param name="Last">The last number that was given.</param>
    /// <param name="Number">The number of the last batch.</param>
    /// <param name="CutLast">The last outcome of the batch that is not in the lake; 0: there is none.</param>
    /// <param name="CutAt">When it was cut.</param>
    /// <param name="Count">Outcomes that are not in the lake.</param>
    /// <param name="Oldest">Since when the first of them waits; 0 without.</param>
    private record struct Batch(long Last, long Number, long CutLast, long CutAt, long Count, long Oldest);
}
