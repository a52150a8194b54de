// What one transaction of the writer may do: requests change through here alone, so that counts, outcomes and observers never miss one.
using Estat.Requests.Campaigns;
using Microsoft.Data.Sqlite;

namespace Estat.Requests.Sqlite;

/// <summary>The writer thread's. One at a time: begun, then committed or rolled back.</summary>
internal sealed class StoreTransaction : IDisposable
{
    private readonly Dictionary<string, CampaignEntry> _campaigns = new(StringComparer.Ordinal);
    private readonly List<CampaignEntry> _byOrdinal = [];
    private readonly List<CampaignEntry> _added = [];
    private readonly CampaignTable _campaignTable;
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _rollBack;
    private readonly SQLitePCL.sqlite3 _connection;
    private readonly TimeProvider _time;
    private List<RequestRecord> _changed = [];
    private long _waiting;
    private long _waitingCommitted;

    internal StoreTransaction(SqliteConnection connection, TimeProvider time)
    {
        _time = time;
        SQLitePCL.sqlite3 handle = _connection = connection.Handle!;
        _campaignTable = new CampaignTable(handle);
        Requests = new RequestTable(handle);
        Outcomes = new OutcomeTable(handle);
        _begin = new Statement(handle, "BEGIN IMMEDIATE");
        _commit = new Statement(handle, "COMMIT");
        _rollBack = new Statement(handle, "ROLLBACK");
        foreach (Campaign campaign in _campaignTable.ReadAll())
        {
            Add(new CampaignEntry(campaign));
        }

        IsHeld = Database.Ask(connection, "SELECT held FROM store") == "1";
        _waiting = _waitingCommitted = long.Parse(
            Database.Ask(connection, "SELECT count(*) FROM request WHERE due > 0")!, System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>The requests' statements.</summary>
    internal RequestTable Requests { get; }

    /// <summary>The outcomes' statements.</summary>
    internal OutcomeTable Outcomes { get; }

    /// <summary>Whether it was restored from a backup, and the operator has not resumed it.</summary>
    internal bool IsHeld { get; }

    /// <summary>Now, in milliseconds since 1970: the same throughout a transaction.</summary>
    internal long Now { get; private set; }

    /// <summary>All campaigns, in the order in which they were made.</summary>
    internal IReadOnlyList<CampaignEntry> Campaigns => _byOrdinal;

    /// <summary>Requests that wait for a moment: for another attempt, or for the end of a lease.</summary>
    internal long Waiting => _waiting;

    /// <summary>What the transaction has changed so far, as it will be.</summary>
    internal IReadOnlyList<RequestRecord> Changed => _changed;

    /// <summary>A campaign; null when there is none.</summary>
    internal CampaignEntry? Find(string id) => _campaigns.GetValueOrDefault(id);

    /// <summary>The campaign of a number that was given.</summary>
    internal CampaignEntry Of(int ordinal) => _byOrdinal[ordinal - 1];

    /// <summary>Begins.</summary>
    internal void Begin()
    {
        _begin.Run();
        Now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        _changed = [];
    }

    /// <summary>Adds a campaign.</summary>
    internal void AddCampaign(Campaign campaign)
    {
        var entry = new CampaignEntry(campaign);
        Add(entry);
        _added.Add(entry);
        entry.Change(made => made with { }); // so that the commit writes it
    }

    /// <summary>Accepts a request, unless its user has one.</summary>
    /// <returns>The new request, or the one that is there.</returns>
    internal (RequestRecord Request, bool IsNew) Accept(CampaignEntry campaign, RequestId id, UserId user, ReadOnlySpan<byte> body)
    {
        RequestRecord request = RequestMachine.Accept(id, campaign.Ordinal, campaign.LastSequence + 1, user, Now);
        if (!Requests.TryInsert(request, body))
        {
            return (Requests.Find(id)!, false);
        }

        campaign.Accept(request.State);
        _changed.Add(request);
        return (request, true);
    }

    /// <summary>Changes a request as the state machine says.</summary>
    /// <param name="was">As it is in the database.</param>
    /// <param name="next">As it will be; null: the machine refused, and nothing changes.</param>
    /// <returns>As it is afterwards.</returns>
    internal RequestRecord Move(RequestRecord was, RequestRecord? next)
    {
        if (next is null)
        {
            return was;
        }

        Requests.Update(next);
        _waiting += (next.Due > 0 ? 1 : 0) - (was.Due > 0 ? 1 : 0);
        Of(was.CampaignOrdinal).Move(was.State, next.State);
        if (next.State.IsFinal())
        {
            Outcomes.Add(next);
        }

        _changed.Add(next);
        return next;
    }

    /// <summary>Takes the user and the body out of a request.</summary>
    internal void Erase(RequestRecord request)
    {
        Requests.Erase(RequestRows.KeyOf(request));
        _changed.Add(request with { User = null });
    }

    /// <summary>Commits. When this returns, everything is on the disk.</summary>
    /// <param name="changed">Gets the campaigns that have changed, as they are now.</param>
    internal void Commit(List<Campaign> changed)
    {
        foreach (CampaignEntry entry in _byOrdinal)
        {
            if (entry.IsChanged)
            {
                _campaignTable.Save(entry);
            }
        }

        _commit.Run();
        foreach (CampaignEntry entry in _byOrdinal)
        {
            if (entry.IsChanged)
            {
                entry.Commit();
                changed.Add(entry.Published);
            }
        }

        _added.Clear();
        _waitingCommitted = _waiting;
        Outcomes.Commit();
    }

    /// <summary>Undoes everything since the beginning; also when SQLite has done so by itself, as it does after some errors.</summary>
    internal void RollBack()
    {
        if (SQLitePCL.raw.sqlite3_get_autocommit(_connection) == 0)
        {
            _rollBack.Run();
        }

        foreach (CampaignEntry entry in _added)
        {
            _campaigns.Remove(entry.Published.Id);
            _byOrdinal.Remove(entry);
        }

        _added.Clear();
        _byOrdinal.ForEach(entry => entry.RollBack());
        _waiting = _waitingCommitted;
        Outcomes.RollBack();
        _changed = [];
    }

    public void Dispose()
    {
        _campaignTable.Dispose();
        Requests.Dispose();
        Outcomes.Dispose();
        _begin.Dispose();
        _commit.Dispose();
        _rollBack.Dispose();
    }

    private void Add(CampaignEntry entry)
    {
        _campaigns.Add(entry.Published.Id, entry);
        _byOrdinal.Add(entry);
    }
}
