// Bytes on a device, and what a power cut makes of writes on their way to it.
namespace Estat.Testing.PowerCuts;

/// <summary>A write, or a cut to a length.</summary>
/// <param name="Offset">Where it begins; the length for a cut.</param>
/// <param name="Bytes">Null for a cut.</param>
internal readonly record struct DiskChange(int Offset, byte[]? Bytes)
{
    internal int End => Offset + (Bytes?.Length ?? 0);
}

/// <summary>
/// A file's bytes. A sector is written whole or not at all; everything else may happen: changes in any order, some of them, parts of them, and a
/// length that has grown without its content. What a file has grown by and nobody wrote reads as zeros, or as blocks that other files had at the same
/// place.
/// </summary>
internal sealed class DiskContent
{
    internal const int SectorBytes = 512;

    private byte[] _bytes = [];

    internal DiskContent(ReadOnlySpan<byte> bytes = default)
    {
        _bytes = bytes.ToArray();
        Length = bytes.Length;
    }

    internal int Length { get; private set; }

    internal ReadOnlySpan<byte> Span => _bytes.AsSpan(0, Length);

    /// <summary>Makes a change as it was meant.</summary>
    /// <param name="change">What to do.</param>
    /// <param name="hole">Fills what lies between the end and a write beyond it.</param>
    internal void Apply(DiskChange change, Action<int, Span<byte>>? hole = null)
    {
        if (change.Bytes is null)
        {
            SetLength(change.Offset, hole);
            return;
        }

        if (change.Offset > Length)
        {
            SetLength(change.Offset, hole);
        }

        Reserve(change.End);
        change.Bytes.CopyTo(_bytes, change.Offset);
        Length = Math.Max(Length, change.End);
    }

    /// <summary>Makes what a power cut or a failed write-back leaves of changes that were under way.</summary>
    internal void ApplySome(IReadOnlyList<DiskChange> changes, Random random, Action<int, Span<byte>> hole)
    {
        // All, none and each by itself: the extremes are the likeliest in life.
        int mode = random.Next(8);
        if (mode == 0)
        {
            return;
        }

        DiskChange[] order = [.. changes];
        if (mode > 1)
        {
            random.Shuffle(order);
        }

        foreach (DiskChange change in order)
        {
            int fate = mode == 1 ? 0 : random.Next(4);
            switch (fate)
            {
                case 0:
                    Apply(change, hole);
                    break;
                case 1 when change.Bytes is not null:
                    Tear(change, random, hole);
                    break;
                case 2 when change.Bytes is not null && change.End > Length:
                    SetLength(change.End, hole);
                    break;
            }
        }
    }

    private void Tear(DiskChange change, Random random, Action<int, Span<byte>> hole)
    {
        bool fromTheStart = random.Next(2) == 0;
        double share = random.NextDouble();
        for (int at = change.Offset; at < change.End;)
        {
            int end = Math.Min(change.End, (at / SectorBytes * SectorBytes) + SectorBytes);
            if (random.NextDouble() < share)
            {
                Apply(new DiskChange(at, change.Bytes![(at - change.Offset)..(end - change.Offset)]), hole);
            }
            else if (fromTheStart)
            {
                return;
            }

            at = end;
        }
    }

    private void SetLength(int length, Action<int, Span<byte>>? hole)
    {
        Reserve(length);
        if (length > Length)
        {
            Span<byte> grown = _bytes.AsSpan(Length, length - Length);
            grown.Clear();
            hole?.Invoke(Length, grown);
        }

        Length = length;
    }

    private void Reserve(int length)
    {
        if (length > _bytes.Length)
        {
            Array.Resize(ref _bytes, Math.Max(length, 2 * _bytes.Length));
        }
    }
}
