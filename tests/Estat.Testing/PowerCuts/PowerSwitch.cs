// The power of one start of a node, whether the machine loses it or the process is killed: everything that the start leaves behind passes here, so
// that nothing of it lasts beyond the cut.
namespace Estat.Testing.PowerCuts;

/// <summary>
/// Goes off at a certain operation of the disk, or when told to. <see cref="Gate"/> orders the cut, every effect on disk and store, and every
/// acknowledgement that a client notes: each of them lies before the cut or does not happen.
/// </summary>
/// <param name="lastOperation">The operation of the disk in whose middle the power goes off.</param>
internal sealed class PowerSwitch(long lastOperation)
{
    private readonly TaskCompletionSource _off = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _operations;
    private bool _isOff;

    /// <summary>Held for each effect.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>Completes when the power has gone off.</summary>
    internal Task Off => _off.Task;

    /// <summary>Whether the power is off.</summary>
    internal bool IsOff => Volatile.Read(ref _isOff);

    /// <summary>An operation of the disk begins. The gate is held.</summary>
    /// <returns>Whether the power goes off in its middle.</returns>
    internal bool Step()
    {
        ThrowIfOff();
        return ++_operations == lastOperation;
    }

    /// <summary>What a process meets that does not know that it is dead.</summary>
    internal void ThrowIfOff()
    {
        if (_isOff)
        {
            throw new PowerCutException();
        }
    }

    /// <summary>What a test meets that asks too early what a cut has left.</summary>
    internal void ThrowIfOn()
    {
        if (!IsOff)
        {
            throw new InvalidOperationException("the power is still on");
        }
    }

    /// <summary>Cuts the power. The gate is held.</summary>
    /// <returns>What the operation in progress throws.</returns>
    internal PowerCutException Cut()
    {
        Volatile.Write(ref _isOff, true);
        _off.TrySetResult();
        return new PowerCutException();
    }

    /// <summary>Cuts the power from outside.</summary>
    internal void CutNow()
    {
        lock (Gate)
        {
            _ = Cut();
        }
    }
}

/// <summary>The machine has no power.</summary>
internal sealed class PowerCutException() : IOException("the power is off");
