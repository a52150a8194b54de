// A disk that forgets at a power cut what was not synced, and that fails now and then.
using Estat.Base.Journal;

namespace Estat.Testing.PowerCuts;

/// <summary>
/// Each file has what the device holds and changes on their way there. Names are durable only once the folder was synced: before that a file that
/// was made may vanish and one that was deleted may come back. Once its power is off, everything throws; <see cref="Survivors"/> is what the next
/// start finds after a power cut, <see cref="Successor"/> after a kill.
/// </summary>
internal sealed class PowerCutFiles : IJournalFiles
{
    private const int OldBlocksKept = 8;

    private readonly PowerSwitch _power;
    private readonly Random _random;
    private readonly DiskFaults _faults;
    private readonly bool _dawdles;
    private readonly Dictionary<string, Inode> _entries = [];
    private readonly Dictionary<string, Inode> _durableEntries = [];
    private readonly List<byte[]> _oldBlocks = [];

    /// <param name="power">Its power.</param>
    /// <param name="random">Decides everything; used with the power's gate held.</param>
    /// <param name="faults">How it fails.</param>
    /// <param name="dawdles">Whether a sync takes time, for others to do something in.</param>
    internal PowerCutFiles(PowerSwitch power, Random random, DiskFaults faults, bool dawdles)
    {
        _power = power;
        _random = random;
        _faults = faults;
        _dawdles = dawdles;
    }

    public string Folder => "a disk under test";

    /// <summary>What is on the device after the cut, as the folder of the next start.</summary>
    internal PowerCutFiles Survivors(PowerSwitch power, DiskFaults faults)
    {
        _power.ThrowIfOn();
        var next = new PowerCutFiles(power, _random, faults, _dawdles);
        next._oldBlocks.AddRange(_oldBlocks);
        foreach (string name in _durableEntries.Keys.Union(_entries.Keys).Order(StringComparer.Ordinal))
        {
            Inode? inode = (_random.Next(2) == 0 ? _durableEntries : _entries).GetValueOrDefault(name);
            if (inode is not null)
            {
                inode.LosePower(_random, FillHole);
                next._entries[name] = next._durableEntries[name] = new Inode(inode.Durable);
            }
        }

        return next;
    }

    /// <summary>What the next start finds when only the process ended: all that was written, synced or not, and as little of it safe as
    /// before.</summary>
    internal PowerCutFiles Successor(PowerSwitch power, DiskFaults faults)
    {
        _power.ThrowIfOn();
        var next = new PowerCutFiles(power, _random, faults, _dawdles);
        next._oldBlocks.AddRange(_oldBlocks);
        foreach ((string name, Inode inode) in _entries)
        {
            next._entries[name] = inode;
        }

        foreach ((string name, Inode inode) in _durableEntries)
        {
            next._durableEntries[name] = inode;
        }

        return next;
    }

    public IJournalFile Create(string name)
    {
        lock (_power.Gate)
        {
            bool isLast = Begin(_faults.Metadata);
            if (_entries.ContainsKey(name))
            {
                throw new IOException($"{name} is there already");
            }

            var inode = new Inode([]);
            _entries[name] = inode;
            return isLast ? throw _power.Cut() : new OpenFile(this, inode);
        }
    }

    public IJournalFile Open(string name)
    {
        lock (_power.Gate)
        {
            return Begin(_faults.Read) ? throw _power.Cut()
                : _entries.TryGetValue(name, out Inode? inode) ? new OpenFile(this, inode)
                : throw new FileNotFoundException(name);
        }
    }

    public IReadOnlyList<string> Names()
    {
        lock (_power.Gate)
        {
            return Begin(_faults.Read) ? throw _power.Cut() : [.. _entries.Keys];
        }
    }

    public void SyncFolder()
    {
        lock (_power.Gate)
        {
            if (Begin(_faults.Metadata))
            {
                throw _power.Cut();
            }

            _durableEntries.Clear();
            foreach ((string name, Inode inode) in _entries)
            {
                _durableEntries[name] = inode;
            }
        }
    }

    public void Rename(string name, string to)
    {
        lock (_power.Gate)
        {
            bool isLast = Begin(_faults.Metadata);
            if (_entries.ContainsKey(to))
            {
                throw new IOException($"{to} is there already");
            }

            _entries.Remove(name, out Inode? inode);
            _entries[to] = inode!;
            if (isLast)
            {
                throw _power.Cut();
            }
        }
    }

    public void Delete(string name)
    {
        lock (_power.Gate)
        {
            bool isLast = Begin(_faults.Metadata);
            if (_entries.Remove(name, out Inode? inode))
            {
                _oldBlocks.Add(inode.Durable.ToArray());
                if (_oldBlocks.Count > OldBlocksKept)
                {
                    _oldBlocks.RemoveAt(_random.Next(_oldBlocks.Count));
                }
            }

            if (isLast)
            {
                throw _power.Cut();
            }
        }
    }

    public bool? Has(string name)
    {
        lock (_power.Gate)
        {
            return _entries.ContainsKey(name);
        }
    }

    public byte[]? ReadWhole(string name, int most)
    {
        lock (_power.Gate)
        {
            return Begin(_faults.Read) ? throw _power.Cut() : _entries.GetValueOrDefault(name)?.View.ToArray();
        }
    }

    public void Replace(string name, Action<Stream> write)
    {
        using var stream = new MemoryStream();
        write(stream);
        byte[] content = stream.ToArray();
        lock (_power.Gate)
        {
            bool isLast = Begin(_faults.Metadata);
            if (!isLast || _random.Next(2) == 0)
            {
                _entries[name] = _durableEntries[name] = new Inode(content);
            }

            if (isLast)
            {
                throw _power.Cut();
            }
        }
    }

    public long FreeBytes() => _power.IsOff ? throw new PowerCutException() : long.MaxValue / 2;

    // True when the power goes off in the middle of the operation: a fault and a cut do not meet.
    private bool Begin(double rate)
    {
        bool isLast = _power.Step();
        return isLast || (_random.NextDouble() < rate ? throw new IOException("EIO") : false);
    }

    private void Write(Inode inode, int offset, ReadOnlySpan<byte> bytes)
    {
        lock (_power.Gate)
        {
            bool isLast = _power.Step();
            bool isFull = !isLast && _random.NextDouble() < _faults.NoSpace;
            bool isBroken = !isLast && !isFull && _random.NextDouble() < _faults.Write;
            if (isLast || isFull || isBroken)
            {
                // All of it, often enough: an error does not mean that nothing happened.
                int written = _random.Next(3) == 0 ? bytes.Length : _random.Next(bytes.Length);
                inode.Change(new DiskChange(offset, bytes[..written].ToArray()));
                throw isLast ? _power.Cut() : new IOException(isFull ? "ENOSPC" : "EIO");
            }

            inode.Change(new DiskChange(offset, bytes.ToArray()));
        }
    }

    private void Truncate(Inode inode, int length)
    {
        lock (_power.Gate)
        {
            bool isLast = Begin(_faults.Metadata);
            inode.Change(new DiskChange(length, null));
            if (isLast)
            {
                throw _power.Cut();
            }
        }
    }

    private void Sync(Inode inode)
    {
        bool isLast;
        int changes;
        bool dawdles;
        lock (_power.Gate)
        {
            isLast = _power.Step();
            changes = inode.Pending;
            dawdles = _dawdles && _random.Next(8) == 0;
        }

        if (dawdles)
        {
            Thread.Sleep(1);
        }

        lock (_power.Gate)
        {
            _power.ThrowIfOff();
            if (isLast)
            {
                throw _power.Cut();
            }

            if (_random.NextDouble() < _faults.Sync)
            {
                inode.LoseChanges(changes, _random, FillHole);
                throw new IOException("EIO");
            }

            inode.Sync(changes, FillHole);
        }
    }

    private int Read(Inode inode, int offset, Span<byte> bytes)
    {
        lock (_power.Gate)
        {
            if (Begin(_faults.Read))
            {
                throw _power.Cut();
            }

            ReadOnlySpan<byte> view = inode.View;
            if (offset >= view.Length)
            {
                return 0;
            }

            int read = Math.Min(bytes.Length, view.Length - offset);
            view.Slice(offset, read).CopyTo(bytes);
            return read;
        }
    }

    // Zeros, or what another file has or had at this place: the worst that a block handed out again can hold.
    private void FillHole(int offset, Span<byte> hole)
    {
        if (_random.Next(2) == 0)
        {
            return;
        }

        int files = _durableEntries.Count + _oldBlocks.Count;
        int pick = _random.Next(files + 1);
        if (pick == files)
        {
            _random.NextBytes(hole);
            return;
        }

        ReadOnlySpan<byte> source = pick < _oldBlocks.Count
            ? _oldBlocks[pick]
            : _durableEntries.OrderBy(entry => entry.Key, StringComparer.Ordinal).ElementAt(pick - _oldBlocks.Count).Value.Durable;
        if (offset < source.Length)
        {
            source = source[offset..];
            source[..Math.Min(hole.Length, source.Length)].CopyTo(hole);
        }
    }

    private sealed class Inode
    {
        private readonly List<DiskChange> _pending = [];
        private readonly DiskContent _durable;
        private DiskContent _view;

        internal Inode(ReadOnlySpan<byte> content)
        {
            _durable = new DiskContent(content);
            _view = new DiskContent(content);
        }

        /// <summary>What the device holds.</summary>
        internal ReadOnlySpan<byte> Durable => _durable.Span;

        /// <summary>What a reader sees.</summary>
        internal ReadOnlySpan<byte> View => _view.Span;

        /// <summary>Changes that no sync has reached.</summary>
        internal int Pending => _pending.Count;

        internal void Change(DiskChange change)
        {
            _view.Apply(change);
            _pending.Add(change);
        }

        internal void Sync(int changes, Action<int, Span<byte>> hole)
        {
            foreach (DiskChange change in _pending.Take(changes))
            {
                _durable.Apply(change, hole);
            }

            _pending.RemoveRange(0, changes);
        }

        /// <summary>A failed write-back: what did not get through is gone, though the cache may go on showing it.</summary>
        internal void LoseChanges(int changes, Random random, Action<int, Span<byte>> hole)
        {
            _durable.ApplySome(_pending[..changes], random, hole);
            _pending.RemoveRange(0, changes);
            if (random.Next(2) == 0)
            {
                _view = new DiskContent(_durable.Span);
                foreach (DiskChange change in _pending)
                {
                    _view.Apply(change);
                }
            }
        }

        internal void LosePower(Random random, Action<int, Span<byte>> hole)
        {
            _durable.ApplySome(_pending, random, hole);
            _pending.Clear();
        }
    }

    private sealed class OpenFile(PowerCutFiles files, Inode inode) : IJournalFile
    {
        public long Length
        {
            get
            {
                lock (files._power.Gate)
                {
                    return inode.View.Length;
                }
            }
        }

        public bool? HasName(string name) => true;

        public void Write(long offset, ReadOnlySpan<byte> bytes) => files.Write(inode, checked((int)offset), bytes);

        public void Write(long offset, ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second) =>
            Write(offset, (byte[])[.. first.Span, .. second.Span]);

        public int Read(long offset, Span<byte> bytes) => files.Read(inode, checked((int)offset), bytes);

        public void Sync() => files.Sync(inode);

        public void Truncate(long length) => files.Truncate(inode, checked((int)length));

        public void Dispose()
        {
        }
    }
}
