// The answers of one connection, in the order of its requests, written by one thread at a time.
using System.Buffers;
using System.Diagnostics;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Estat.Base.Threading;
using Estat.Http.Connections;
using Estat.Http.Tracing;

namespace Estat.Http.FastDoor;

/// <summary>
/// Whoever makes the first answer ready writes it, and all that are ready behind it, with one flush: a thread that syncs never waits for another, nor
/// for a client. A flush that waits for its client holds back the answers behind it, and <see cref="DrainedAsync"/> those that would bring more. So
/// the connection holds <see cref="Most"/> answers and what its pipe takes.
/// </summary>
/// <param name="texts">Writes answers.</param>
/// <param name="output">Where answers go; nobody else writes there until the queue is empty.</param>
/// <param name="straight">A way past the connection's pipe, which costs less; null where there is none.</param>
/// <param name="seat">The connection's seat, which each answer ends once; null where there is none.</param>
/// <param name="onClosing">Called once an answer was written with which the connection ends, or could not be written.</param>
/// <param name="onFault">Is told what is the node's own fault.</param>
internal sealed class AnswerQueue(AnswerTexts texts, PipeWriter output, StraightSend? straight, ConnectionSeat? seat, Action onClosing,
    Action<Exception> onFault) : IBunched
{
    /// <summary>Requests that may wait for their answers.</summary>
    internal const int Most = 64;

    private readonly Lock _gate = new();
    private readonly List<PendingAnswer> _leaving = [];
    private PendingAnswer? _first;
    private PendingAnswer? _last;
    private int _count;
    private bool _isOwned;
    private int _unended;
    private bool _isBroken;
    private volatile bool _isStuck;
    private ConfiguredValueTaskAwaitable<FlushResult>.ConfiguredValueTaskAwaiter _flush;
    private Action? _onFlushed;
    private TaskCompletionSource? _drained;

    /// <summary>Whether no more requests may be added.</summary>
    internal bool IsFull => Volatile.Read(ref _count) >= Most;

    /// <summary>Whether the client does not read its answers: nothing more is read from it until it does.</summary>
    internal bool IsStuck => _isStuck;

    /// <summary>Whether an answer said that the connection ends.</summary>
    internal bool Closes { get; private set; }

    /// <summary>Makes the caller the one who writes, if nothing waits. It then calls <see cref="Write"/>, and at last <see cref="Flush"/>.</summary>
    internal bool TryOwn()
    {
        lock (_gate)
        {
            if (_isOwned || _first is not null)
            {
                return false;
            }

            _isOwned = true;
            StraightSend.Begin();
            return true;
        }
    }

    /// <summary>Writes an answer. For the owner.</summary>
    internal void Write(in DoorAnswer answer, Activity? span)
    {
        _unended++;
        try
        {
            if (!_isBroken && !Closes)
            {
                texts.Write((IBufferWriter<byte>?)straight ?? output, answer);
            }

            if (span is not null)
            {
                RequestTraces.End(span, answer.Status, answer.Level, answer.Key);
            }
        }
        catch (Exception error)
        {
            Break(error); // whoever is here may be a thread that syncs, with the answers of others before it
        }

        if (answer.Closes)
        {
            Close();
        }
    }

    /// <summary>Sends what was written, and lets go of the queue; once the client has read on, if it has to be waited for. For the owner.</summary>
    internal void Flush()
    {
        if (TryFlush())
        {
            WriteReady();
        }
    }

    /// <summary>Adds an answer that is not known yet. For the one who reads requests, who does not own the queue.</summary>
    internal void Add(PendingAnswer answer)
    {
        lock (_gate)
        {
            if (_last is null)
            {
                _first = answer;
            }
            else
            {
                _last.Next = answer;
            }

            _last = answer;
            _count++;
        }

        answer.Begin(this);
    }

    /// <summary>An answer is known. Any thread.</summary>
    internal void OnReady(PendingAnswer answer)
    {
        lock (_gate)
        {
            answer.IsReady = true;
            // Others that wait behind it may be ready in a moment, by the same sync: they leave together.
            if (_isOwned || !ReferenceEquals(_first, answer) || (answer.Next is not null && AnswerBunch.TryAdd(this)))
            {
                return;
            }

            _isOwned = true;
        }

        WriteReady();
    }

    /// <inheritdoc/>
    public void OnBunchEnded()
    {
        lock (_gate)
        {
            if (_isOwned || _first is not { IsReady: true })
            {
                return;
            }

            _isOwned = true;
        }

        WriteReady();
    }

    /// <summary>Completes once nothing waits and all is on its way, on a thread of the pool.</summary>
    internal Task DrainedAsync()
    {
        lock (_gate)
        {
            return _first is null && !_isOwned ? Task.CompletedTask
                : (_drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }

    // For the owner; nobody owns it afterwards, unless a flush waits.
    private void WriteReady()
    {
        StraightSend.Begin();
        while (TakeReady())
        {
            foreach (PendingAnswer answer in _leaving)
            {
                Write(answer.Answer, answer.Span);
                answer.End();
            }

            _leaving.Clear();
            if (!TryFlush())
            {
                return;
            }
        }
    }

    private bool TakeReady()
    {
        TaskCompletionSource? drained = null;
        lock (_gate)
        {
            while (_first is { IsReady: true } ready)
            {
                _leaving.Add(ready);
                _first = ready.Next;
            }

            _count -= _leaving.Count;
            if (_first is null)
            {
                _last = null;
            }

            if (_leaving.Count > 0)
            {
                return true;
            }

            _isOwned = false;
            if (_first is null)
            {
                (drained, _drained) = (_drained, null);
            }
        }

        drained?.SetResult();
        return false;
    }

    // False: the client has to read on first, and the queue stays owned until then.
    private bool TryFlush()
    {
        if (_isBroken)
        {
            EndSeats();
            return true;
        }

        try
        {
            if (straight is not null && straight.TrySend(output))
            {
                EndSeats();
                return true;
            }

            ValueTask<FlushResult> flush = output.FlushAsync();
            if (flush.IsCompletedSuccessfully)
            {
                EndFlush(flush.Result);
                return true;
            }

            WaitFor(flush);
            return false;
        }
        catch (Exception error)
        {
            Break(error);
            return true;
        }
    }

    private void WaitFor(ValueTask<FlushResult> flush)
    {
        _isStuck = true;
        _flush = flush.ConfigureAwait(false).GetAwaiter();
        _flush.UnsafeOnCompleted(_onFlushed ??= OnFlushed);
    }

    private void OnFlushed()
    {
        _isStuck = false;
        try
        {
            EndFlush(_flush.GetResult());
        }
        catch (Exception error)
        {
            Break(error);
        }

        WriteReady();
    }

    private void EndFlush(FlushResult flushed)
    {
        _isBroken |= flushed.IsCompleted; // the socket takes nothing any more
        EndSeats();
    }

    // The connection is gone: whoever reads from it learns of it as well, and says why.
    private void Break(Exception error)
    {
        if (!_isBroken && error is not (IOException or OperationCanceledException or ObjectDisposedException))
        {
            onFault(error); // of ours, and no client that left
        }

        _isBroken = true;
        EndSeats();
        Close();
    }

    private void Close()
    {
        if (!Closes)
        {
            Closes = true;
            onClosing();
        }
    }

    private void EndSeats()
    {
        for (; _unended > 0; _unended--)
        {
            seat?.End();
        }
    }
}
