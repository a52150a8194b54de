// Memory that an attack made the process take is given back when it is over.
using Estat.Base.Memory;

namespace Estat.Http.Bodies;

/// <summary>
/// The runtime keeps what its heap has grown to until it collects the whole of it, which a node with little to do does not do for hours. So it is
/// asked to, twice, when the bounds of memory were pressed on and have been left alone for 20 seconds, and for 60. It stops the process for some ten
/// milliseconds: so once in 40 seconds at the most, however often pressure comes and goes, and without such pressure never. Any thread.
/// </summary>
internal sealed class HeapRelief : IDisposable
{
    /// <summary>How long nothing may press. In less, <see cref="Connections.BlockPools"/> let go of what connections need no more.</summary>
    private const int Calm = 20; // seconds
    private const int LongCalm = 60; // what was let go since goes back then, such as arrays that threads of the pool had kept
    private const int LeastBetween = LongCalm - Calm;

    private readonly ITimer _timer;
    private volatile bool _isPressed;
    private int _owed;
    private int _calm;
    private int _since = LeastBetween;

    /// <param name="time">The clock.</param>
    internal HeapRelief(TimeProvider time) =>
        _timer = time.CreateTimer(static relief => ((HeapRelief)relief!).Look(), this, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));

    /// <summary>How often it was asked for.</summary>
    internal int Collections { get; private set; }

    /// <summary>Half of a bound of memory is in use, or more.</summary>
    internal void Press() => _isPressed = true;

    /// <inheritdoc/>
    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        _calm = _isPressed ? 0 : _calm + 1;
        _owed = _isPressed ? 2 : _owed;
        _isPressed = false;
        _since++;
        if (_owed > 0 && _since >= LeastBetween && _calm >= (_owed == 2 ? Calm : LongCalm))
        {
            _owed--;
            _since = 0;
            Collections++;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            NativeHeap.GiveBack();
        }
    }
}
