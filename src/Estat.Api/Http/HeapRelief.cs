// Memory that an attack made the process take is given back when it is over.
using Estat.Base.Memory;

namespace Estat.Api.Http;

/// <summary>
/// The runtime keeps what its heap has grown to until it collects the whole of it, which a node with little to do does not do for hours. So it is
/// asked to, twice, when the bounds of memory were pressed on and have been left alone for 20 seconds, and for 60. It stops the process for some ten
/// milliseconds; without such pressure never. Any thread.
/// </summary>
internal sealed class HeapRelief : IDisposable
{
    /// <summary>How long nothing may press. In less, <see cref="Connections.BlockPools"/> let go of what connections need no more.</summary>
    private const int Calm = 20; // seconds
    private const int LongCalm = 60; // what was let go since goes back then, such as arrays that threads of the pool had kept

    private readonly ITimer _timer;
    private volatile bool _isPressed;
    private bool _isDue;
    private int _calm;

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
        _isDue |= _isPressed;
        _isPressed = false;
        if (_isDue && _calm is Calm or LongCalm)
        {
            _isDue = _calm < LongCalm;
            Collections++;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            NativeHeap.GiveBack();
        }
    }
}
