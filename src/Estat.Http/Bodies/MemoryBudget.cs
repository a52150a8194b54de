// Bounds the memory that requests in progress hold together, and that one client address holds of it: INFLIGHT_BYTES.
namespace Estat.Http.Bodies;

/// <summary>
/// A shared number of bytes. While more than half of it is in use, what one address takes ends at a quarter, but for one request at a time: that one
/// may take what there is, so that whatever fits by itself gets through. Any thread.
/// </summary>
/// <param name="bytes">Bytes in all.</param>
/// <param name="relief">Is told when more than half of it is in use.</param>
internal sealed class MemoryBudget(long bytes, HeapRelief? relief = null)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Share> _shares = [];
    private long _used;

    /// <summary>Bytes in all.</summary>
    internal long Total { get; } = bytes;

    /// <summary>Whether more than half of it is in use.</summary>
    internal bool IsScarce => Interlocked.Read(ref _used) > Total / 2;

    /// <summary>What a request takes its memory from.</summary>
    /// <param name="address">Its client (<see cref="Estat.Base.Access.AddressLimits.KeyOf"/>).</param>
    internal RequestMemory For(ulong address) => new(this, address);

    /// <summary>Takes bytes, or none.</summary>
    /// <returns><see cref="BodyOutcome.Whole"/>, or why not.</returns>
    internal BodyOutcome Take(RequestMemory request, long count)
    {
        lock (_gate)
        {
            if (_used + count > Total)
            {
                return BodyOutcome.NoMemory;
            }

            if (!_shares.TryGetValue(request.Address, out Share? share))
            {
                _shares.Add(request.Address, share = new Share());
            }

            if (share.Bytes + count > Total / 4 && _used + count > Total / 2 && (share.Favoured ??= request) != request)
            {
                return BodyOutcome.OverShare;
            }

            share.Bytes += count;
            _used += count;
            if (_used > Total / 2)
            {
                relief?.Press();
            }

            return BodyOutcome.Whole;
        }
    }

    /// <summary>Gives bytes back.</summary>
    /// <param name="request">Who took them.</param>
    /// <param name="count">How many.</param>
    /// <param name="isLast">Whether the request holds none any more.</param>
    internal void Return(RequestMemory request, long count, bool isLast)
    {
        lock (_gate)
        {
            if (!_shares.TryGetValue(request.Address, out Share? share))
            {
                return;
            }

            share.Bytes -= count;
            _used -= count;
            share.Favoured = isLast && share.Favoured == request ? null : share.Favoured;
            if (share.Bytes == 0)
            {
                _shares.Remove(request.Address);
            }
        }
    }

    private sealed class Share
    {
        internal long Bytes { get; set; }

        internal RequestMemory? Favoured { get; set; }
    }
}

/// <summary>What one request has taken. Used by one thread at a time.</summary>
internal sealed class RequestMemory(MemoryBudget budget, ulong address)
{
    private long _held;

    /// <inheritdoc cref="MemoryBudget.IsScarce"/>
    internal bool IsScarce => budget.IsScarce;

    /// <summary>Its client.</summary>
    internal ulong Address { get; } = address;

    /// <summary>Takes bytes, or none.</summary>
    /// <param name="count">How many.</param>
    /// <param name="problem">Why none.</param>
    internal bool TryTake(long count, out BodyOutcome problem)
    {
        problem = budget.Take(this, count);
        if (problem != BodyOutcome.Whole)
        {
            return false;
        }

        _held += count;
        return true;
    }

    /// <summary>Gives bytes back.</summary>
    internal void Return(long count)
    {
        if (count > 0)
        {
            _held -= count;
            budget.Return(this, count, _held == 0);
        }
    }
}
