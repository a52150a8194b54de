// The bytes of a segment: what was written is read back, and nothing else is ever taken for it.
using Estat.Base.Journal;
using Estat.Base.Storage;
using Estat.Collect.Batching;
using Estat.Collect.Options;
using Estat.Collect.Spooling;
using Estat.Collect.Uploading;

namespace Estat.Collect.Tests.Spooling;

public sealed class SegmentTests : IDisposable
{
    private const string Key = "raw/dt=2026-01-02/hr=03/1767323045_a-1_1.jsonl.gz";
    private const int IdentityEnd = 24 + 49 + 4; // frame of the identity, the key above, its checksum
    private static readonly string[][] Records = [["a"], ["b", "c"], ["d", "e", "f"]];
    private static readonly string[] All = [.. Records.SelectMany(record => record)];

    private readonly MemoryFiles _files = new();
    private readonly Spool _spool;
    private string _name = "";

    public SegmentTests() => _spool = new Spool(new CollectOptions(), _files, owner: null, spares: 1, TimeProvider.System, NullLogger.Instance);

    public void Dispose() => _spool.Dispose();

    [Fact]
    public void What_was_appended_is_read_back_in_order_with_its_key_and_opening()
    {
        Write(isSealed: false);
        using SegmentReader reader = SegmentReader.Open(_files, _name);
        Assert.Equal((Key, Batches.Opened), (reader.Identity!.Key, reader.Identity.Opened));
        Assert.Null(reader.Seal);
        var records = new List<string[]>();
        (long events, long end) = reader.ReadGoodRun((lines, count) =>
        {
            records.Add(EventLines.Decode(lines.ToArray()));
            Assert.Equal(count, records[^1].Length);
        });
        Assert.Equal(Records, records);
        Assert.Equal((All.Length, _files[_name].Length), (events, end));
        Assert.Equal(TailKind.Clean, reader.Examine(end));
    }

    [Fact]
    public void A_seal_is_read_back_as_it_was_written()
    {
        Seal seal = Write(isSealed: true);
        using RecoveredSegment read = Read(_files[_name]);
        Assert.Equal((seal, seal, Key), (read.Sealed, read.Batch!.Seal, read.Batch.Key));
        Assert.Equal(All, EventLines.BodiesOf(read.Batch));
        Assert.Null(read.Tail);
        Assert.False(read.IsDamaged);
    }

    [Fact]
    public void A_record_larger_than_a_chunk_is_read_back()
    {
        string large = new('x', 3 * ChunkPool.ChunkBytes);
        Segment segment = Take();
        segment.Append(EventLines.Encode([large]), 1);
        segment.Append(EventLines.Encode(["small"]), 1);
        segment.Leave();

        using RecoveredSegment read = Read(_files[_name]);
        Assert.Equal([large, "small"], EventLines.BodiesOf(read.Batch!));
    }

    [Fact]
    public void The_longest_key_that_S3_takes_fits_the_head()
    {
        string key = $"raw/{new string('이', (SegmentFormat.LongestKey - 4) / 3)}";
        Segment segment = Take(key);
        segment.Append(EventLines.Encode(["a"]), 1);
        segment.WriteSeal(SealOf("a"));
        segment.Leave();

        using RecoveredSegment read = Read(_files[_name]);
        Assert.Equal((key, SealOf("a")), (read.Key, read.Sealed));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void No_flipped_bit_of_a_segment_gives_a_wrong_event(bool isSealed)
    {
        Seal seal = Write(isSealed);
        byte[] content = _files[_name];
        for (int bit = 0; bit < 8 * content.Length; bit++)
        {
            byte[] flipped = [.. content];
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            using RecoveredSegment read = Read(flipped);
            AssertNothingWrong(read, flipped, bit / 8, isSealed ? seal : null);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_segment_that_is_cut_anywhere_gives_the_whole_records_before_the_cut(bool isSealed)
    {
        Write(isSealed);
        byte[] content = _files[_name];
        int[] ends = RecordEnds();
        for (int length = 0; length < content.Length; length++)
        {
            using RecoveredSegment read = Read(content[..length]);
            int whole = length < SegmentFormat.HeadBytes ? 0 : ends.Count(end => end <= length);
            Assert.Equal(Records.Take(whole).SelectMany(record => record), BodiesOf(read));
            bool isAtAnEnd = length == 0 || length == SegmentFormat.HeadBytes || ends.Contains(length);
            Assert.Equal(isAtAnEnd, read.Tail is null);
            Assert.True(!isSealed || length == 0 || read.IsDamaged, $"a sealed segment of {length} bytes is not whole");
        }
    }

    [Fact]
    public void What_lies_behind_the_good_run_is_judged()
    {
        Write(isSealed: false);
        byte[] content = _files[_name];
        byte[] record = content[SegmentFormat.HeadBytes..RecordEnds()[0]];
        byte[] spoilt = [.. record];
        spoilt[^1] ^= 1;
        Assert.Equal(TailKind.Clean, KindOf(content));
        Assert.Equal(TailKind.Clean, KindOf([.. content, .. new byte[200_000]]));
        Assert.Equal(TailKind.Torn, KindOf([.. content, .. record[..20]]));
        Assert.Equal(TailKind.Torn, KindOf([.. content, .. record[..20], .. new byte[200_000]]));
        Assert.Equal(TailKind.Torn, KindOf([.. content, .. new byte[200_000], 1]));
        Assert.Equal(TailKind.Torn, KindOf([.. content, .. spoilt]));
        Assert.Equal(TailKind.Damaged, KindOf([.. content, .. spoilt, .. record]));
    }

    [Fact]
    public void A_good_record_is_found_wherever_it_lies_behind_a_bad_one()
    {
        Write(isSealed: false);
        byte[] content = _files[_name];
        byte[] record = content[SegmentFormat.HeadBytes..RecordEnds()[0]];
        // The reader looks through windows of 64 KB: a record may begin in one and go on in the next.
        for (int garbage = 65_500; garbage < 65_580; garbage++)
        {
            byte[] bytes = [.. content, .. Enumerable.Repeat((byte)0xA5, garbage), .. record];
            Assert.True(KindOf(bytes) == TailKind.Damaged, $"the record {garbage} bytes behind the run was not found");
        }
    }

    [Fact]
    public void A_record_of_another_segment_is_not_taken()
    {
        Write(isSealed: false);
        byte[] mine = _files[_name];
        string name = _name;
        Write(isSealed: false);
        byte[] other = _files[_name]; // the same key and lines, and so the same lengths
        _name = name;
        Assert.Equal(mine.Length, other.Length);
        int[] ends = RecordEnds();
        byte[] mixed = [.. mine[..ends[0]], .. other[ends[0]..ends[1]], .. mine[ends[1]..]];
        using RecoveredSegment read = Read(mixed);
        Assert.Equal(Records[0], BodiesOf(read));
        Assert.Equal(mixed[ends[0]..], read.Tail);
        Assert.True(read.IsDamaged);

        using RecoveredSegment last = Read([.. mine[..ends[1]], .. other[ends[1]..]]);
        Assert.Equal([.. Records[0], .. Records[1]], BodiesOf(last));
        Assert.False(last.IsDamaged); // nobody can tell it from a block that the disk handed out again
    }

    [Fact]
    public void A_segment_under_another_file_s_name_is_not_taken()
    {
        Write(isSealed: true);
        byte[] content = _files[_name];
        _name = _name.Replace("000000001", "000000002", StringComparison.Ordinal);
        using RecoveredSegment read = Read(content);
        Assert.Null(read.Key);
        Assert.Null(read.Batch);
        Assert.Equal(content, read.Tail);
    }

    [Fact]
    public void A_gap_or_a_repetition_in_the_sequence_ends_the_run()
    {
        Write(isSealed: false);
        byte[] content = _files[_name];
        int[] ends = RecordEnds();
        using RecoveredSegment gap = Read([.. content[..ends[0]], .. content[ends[1]..]]);
        Assert.Equal(Records[0], BodiesOf(gap));
        Assert.True(gap.IsDamaged);
        using RecoveredSegment repeated = Read([.. content[..ends[0]], .. content[SegmentFormat.HeadBytes..]]);
        Assert.Equal(Records[0], BodiesOf(repeated));
        Assert.True(repeated.IsDamaged);
        using RecoveredSegment firstLost = Read([.. content[..SegmentFormat.HeadBytes], .. content[ends[0]..]]);
        Assert.Empty(BodiesOf(firstLost));
        Assert.Null(firstLost.Batch);
        Assert.True(firstLost.IsDamaged);
    }

    [Fact]
    public void Sealing_an_open_segment_cuts_its_tail_off()
    {
        Write(isSealed: false);
        _files[_name] = [.. _files[_name], 1, 2, 3];
        Seal seal;
        using (RecoveredSegment first = RecoveredSegment.Read(_files, _name, NewEncoder))
        {
            Assert.Equal([1, 2, 3], first.Tail);
            seal = first.Batch!.Seal;
            first.EnsureSealed();
        }

        using RecoveredSegment again = RecoveredSegment.Read(_files, _name, NewEncoder);
        Assert.Equal((seal, seal), (again.Sealed, again.Batch!.Seal));
        Assert.Equal(RecordEnds()[^1], _files[_name].Length);
        Assert.Null(again.Tail);
    }

    [Fact]
    public void What_follows_behind_what_was_sealed_is_never_taken()
    {
        Write(isSealed: false);
        byte[] content = _files[_name];
        byte[] head = [.. content[..SegmentFormat.HeadBytes]];
        using (SegmentReader reader = SegmentReader.Open(_files, _name))
        {
            SegmentFormat.SealSlot(reader.Identity!.Nonce, SealOf("a", "b", "c")).CopyTo(head, SegmentFormat.SealOffset);
        }

        // A good record behind the sealed ones: nobody was ever told of it, as nothing is appended after the seal.
        using RecoveredSegment read = Read([.. head, .. content[SegmentFormat.HeadBytes..]]);
        Assert.Equal(["a", "b", "c"], BodiesOf(read));
        Assert.Equal((read.Sealed, false), (read.Batch!.Seal, read.IsDamaged));
        Assert.Null(read.Tail);
    }

    // Wherever the bit is: what is given out is a prefix of what was written, under its key; and only where nothing lies is the flip of no account.
    private static void AssertNothingWrong(RecoveredSegment read, byte[] flipped, int at, Seal? seal)
    {
        string[] bodies = BodiesOf(read);
        Assert.Equal(All.Take(bodies.Length), bodies);
        Assert.True(read.Sealed is null || read.Sealed == seal, $"byte {at}: a seal that nobody wrote");
        Assert.Equal(at is 4 or 5, read.HasDamagedVersion);
        if (read.HasDamagedVersion)
        {
            // The checksum says what it was.
            Assert.Equal((Key, All.Length, seal), (read.Key, bodies.Length, read.Sealed));
            Assert.Null(read.Tail);
        }
        else if (at < IdentityEnd)
        {
            Assert.Null(read.Key);
            Assert.Equal(flipped, read.Tail);
            Assert.True(read.IsDamaged);
        }
        else if (at >= SegmentFormat.HeadBytes)
        {
            int record = RecordEnds().Count(end => end <= at);
            Assert.Equal(Records.Take(record).SelectMany(bodies => bodies), bodies);
            Assert.Equal(flipped[(record == 0 ? SegmentFormat.HeadBytes : RecordEnds()[record - 1])..], read.Tail);
            Assert.Equal(seal is not null || record < Records.Length - 1, read.IsDamaged);
        }
        else
        {
            Assert.Equal((Key, All.Length), (read.Key, bodies.Length));
            Assert.Null(read.Tail);
            bool isInSeal = at is >= SegmentFormat.SealOffset and < SegmentFormat.SealOffset + 64;
            Assert.Equal(isInSeal ? null : seal, read.Sealed);
        }
    }

    private static int[] RecordEnds()
    {
        int end = SegmentFormat.HeadBytes;
        return [.. Records.Select(record => end += RecordFormat.FrameBytes + EventLines.Encode(record).Length)];
    }

    private static BatchEncoder NewEncoder() => new(BatchEncoder.Gzip(1), NullLogger.Instance, _ => { });

    private static Seal SealOf(params string[] bodies)
    {
        using SealedBatch batch = Batches.Of(Key, bodies);
        return batch.Seal;
    }

    private static string[] BodiesOf(RecoveredSegment read) => read.Batch is { } batch ? EventLines.BodiesOf(batch) : [];

    private RecoveredSegment Read(byte[] content)
    {
        var files = new MemoryFiles { [_name] = content };
        return RecoveredSegment.Read(files, _name, NewEncoder);
    }

    private TailKind KindOf(byte[] content)
    {
        var files = new MemoryFiles { [_name] = content };
        using SegmentReader reader = SegmentReader.Open(files, _name);
        return reader.Examine(RecordEnds()[^1]);
    }

    private Segment Take(string key = Key)
    {
        Segment segment = _spool.Take(key, Batches.Opened);
        _name = segment.Name;
        return segment;
    }

    private Seal Write(bool isSealed)
    {
        Segment segment = Take();
        foreach (string[] record in Records)
        {
            segment.Append(EventLines.Encode(record), record.Length);
            segment.Sync();
        }

        if (isSealed)
        {
            segment.WriteSeal(SealOf(All));
        }

        segment.Leave();
        return SealOf(All);
    }
}
