// What lies in the database.
namespace Estat.Requests.Sqlite;

/// <summary>
/// A request's key is its campaign's number and its sequence in one integer (<see cref="Key"/>), so that acceptance appends to the table, and a
/// campaign's requests lie together in their order. The one index that is written at random is that of ids. Indexes of what waits and of what failed
/// hold only such rows. Bodies and outcomes stand apart: they go sooner.
/// </summary>
internal static class Schema
{
    /// <summary>The version that this code writes; <c>PRAGMA user_version</c>.</summary>
    internal const int Version = 1;

    private const int SequenceBits = 40;

    /// <summary>Sequences that a campaign can give, and campaigns that a store can hold.</summary>
    internal const long MostSequences = (1L << SequenceBits) - 1;

    /// <summary>Campaigns that a store can hold.</summary>
    internal const int MostCampaigns = (1 << 22) - 1;

    /// <summary>Makes everything in an empty database.</summary>
    internal const string Create = """
        CREATE TABLE store (
            only INTEGER PRIMARY KEY CHECK (only = 1),
            epoch TEXT NOT NULL,
            outcome INTEGER NOT NULL,
            batch INTEGER NOT NULL,
            batch_last INTEGER NOT NULL,
            batch_cut INTEGER NOT NULL,
            held INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE campaign (
            ordinal INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            settings TEXT NOT NULL,
            version INTEGER NOT NULL,
            secret BLOB NOT NULL,
            seed BLOB NOT NULL,
            closed INTEGER NOT NULL,
            paused INTEGER NOT NULL,
            draw TEXT,
            sequence INTEGER NOT NULL,
            decided INTEGER NOT NULL,
            turned_away INTEGER NOT NULL,
            accepted INTEGER NOT NULL,
            received INTEGER NOT NULL,
            queued INTEGER NOT NULL,
            processing INTEGER NOT NULL,
            succeeded INTEGER NOT NULL,
            rejected INTEGER NOT NULL,
            failed INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE request (
            key INTEGER PRIMARY KEY,
            id BLOB NOT NULL,
            user BLOB,
            state INTEGER NOT NULL,
            generation INTEGER NOT NULL,
            fence INTEGER NOT NULL,
            attempts INTEGER NOT NULL,
            received INTEGER NOT NULL,
            queued INTEGER NOT NULL,
            processing INTEGER NOT NULL,
            final INTEGER NOT NULL,
            due INTEGER NOT NULL,
            reason TEXT,
            result TEXT,
            failure TEXT
        ) STRICT;
        CREATE UNIQUE INDEX request_id ON request (id);
        CREATE INDEX request_leases ON request (due) WHERE state = 2;
        CREATE INDEX request_waits ON request (key >> 40, due) WHERE due > 0 AND state = 1;
        CREATE INDEX request_failed ON request (key) WHERE state = 5;
        CREATE TABLE body (key INTEGER PRIMARY KEY, content BLOB NOT NULL) STRICT;
        CREATE TABLE outcome (
            number INTEGER PRIMARY KEY,
            campaign INTEGER NOT NULL,
            id BLOB NOT NULL,
            sequence INTEGER NOT NULL,
            generation INTEGER NOT NULL,
            state INTEGER NOT NULL,
            reason TEXT,
            attempts INTEGER NOT NULL,
            received INTEGER NOT NULL,
            queued INTEGER NOT NULL,
            processing INTEGER NOT NULL,
            final INTEGER NOT NULL
        ) STRICT;
        """;

    /// <summary>A request's key.</summary>
    internal static long Key(int campaign, long sequence) => ((long)campaign << SequenceBits) | sequence;

    /// <summary>The first key behind all of a campaign's.</summary>
    internal static long End(int campaign) => Key(campaign + 1, 0);

    /// <summary>The campaign of a key.</summary>
    internal static int CampaignOf(long key) => (int)(key >> SequenceBits);

    /// <summary>The sequence of a key.</summary>
    internal static long SequenceOf(long key) => key & MostSequences;
}
