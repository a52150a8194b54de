// A body that stalls with much memory in its hands is given up early, if others need the memory.
namespace Estat.Http.Bodies;

/// <summary>
/// A client that has sent N bytes of a body has shown that it can send about N in <c>BODY_TIMEOUT</c>. In every sixth of that time (5 s of 30 s) it
/// must then bring half of what such a pace would: N / 12. Who sends evenly always does, however slowly; who sends 4 MB at once and then a byte now
/// and then does not. This holds while memory is scarce; otherwise a stall costs nobody anything, and phones stall on their way from cell to cell. A
/// step is never shorter than 5 s. Bodies that fit the first buffer have <c>BODY_TIMEOUT</c> alone, and Kestrel's 240 bytes a second.
/// </summary>
/// <param name="ending">Cancelled when it does not.</param>
/// <param name="patience"><c>BODY_TIMEOUT</c>.</param>
/// <param name="isScarce">Whether others may need the memory that it holds.</param>
/// <param name="time">The clock.</param>
internal sealed class BodyPace(CancellationTokenSource ending, TimeSpan patience, Func<bool> isScarce, TimeProvider time) : IDisposable
{
    private const int Windows = 6;
    private static readonly TimeSpan LeastStep = TimeSpan.FromSeconds(5);

    private readonly TimeSpan _step = patience / Windows > LeastStep ? patience / Windows : LeastStep;
    private readonly Lock _gate = new();
    private ITimer? _timer;
    private bool _isOver;
    private int _received;
    private int _before;

    /// <summary>Says how much has come in all.</summary>
    internal void OnReceived(int bytes)
    {
        Volatile.Write(ref _received, bytes);
        if (_timer is null && bytes > BodyBuffer.FirstSize)
        {
            _timer = time.CreateTimer(static pace => ((BodyPace)pace!).Look(), this, _step, _step);
        }
    }

    /// <summary>It is whole, or given up.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isOver = true;
        }

        _timer?.Dispose();
    }

    private void Look()
    {
        int received = Volatile.Read(ref _received);
        lock (_gate)
        {
            if (!_isOver && received - _before < received / (2 * Windows) && isScarce())
            {
                _isOver = true;
                _ = ending.CancelAsync(); // what ends with it runs elsewhere, and not under this lock
            }

            _before = received;
        }
    }
}
