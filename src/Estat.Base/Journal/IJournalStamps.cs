namespace Estat.Base.Journal;

/// <summary>
/// Numbers records once their order in the journal is certain. Called by the journal's writer alone: <see cref="Begin"/>, then <see cref="Stamp"/>
/// for each record of the block in its order, then one of the other two.
/// </summary>
internal interface IJournalStamps
{
    /// <summary>A block begins.</summary>
    void Begin();

    /// <summary>Writes numbers into a record.</summary>
    /// <param name="owner">What the append was given with it.</param>
    /// <param name="record">The bytes that will be in the journal; a copy of what was appended.</param>
    void Stamp(object? owner, Span<byte> record);

    /// <summary>The block is durable. No append of it has ended yet.</summary>
    /// <param name="position">Where it begins.</param>
    void Commit(long position);

    /// <summary>The block is not in the journal. Unless <see cref="SegmentedJournal"/> ends before it has written another one, it never will
    /// be.</summary>
    void Undo();
}
