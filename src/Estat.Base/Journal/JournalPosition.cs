namespace Estat.Base.Journal;

/// <summary>Where a record is in a journal; positions grow in the order of appends, and are never used twice.</summary>
/// <param name="Block">Where its block begins: bytes from the journal's first one.</param>
/// <param name="Index">Which record of the block it is, from 0.</param>
public readonly record struct JournalPosition(long Block, int Index);
