// POST /collect at the fast door.
using System.Collections.Concurrent;
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Collect.Intake;
using Estat.Http.FastDoor;
using Estat.Http.Intake;

namespace Estat.Collect.Http;

/// <summary>The steps of <see cref="EventIntake"/> for a request that is wholly there. What waits for its ack waits with one pooled object.</summary>
/// <param name="path">The path.</param>
/// <param name="intake">The rules.</param>
/// <param name="end">Logs what is the node's own fault.</param>
internal sealed class CollectFastRoute(string path, EventIntake intake, HttpRequestEnd end) : IFastRoute
{
    private readonly ConcurrentQueue<PendingEvent> _idle = new();

    /// <inheritdoc/>
    public string Path => path;

    /// <inheritdoc/>
    public bool Takes(FastRequestView request) => EventIntake.IsPlain(request);

    /// <inheritdoc/>
    public PendingAnswer? Take(FastRequestView request, ReadOnlySpan<byte> body, out DoorAnswer answer)
    {
        PageAnswer page = default;
        long ordinal = intake.Begin();
        ValueTask<Ack> ack;
        Taken taken;
        try
        {
            page = intake.PageOf(request);
            Refusal? refusal = intake.Enter(request, isBatch: false, out Entry entry);
            page = entry.Page.IsToPage ? entry.Page : page;
            taken = default;
            refusal ??= intake.Accept(request, entry, body, intake.StartTimer(ordinal), out taken);
            if (refusal is not null)
            {
                answer = DoorAnswer.Refused(refusal, page);
                intake.End();
                return null;
            }

            ack = intake.AckOf(taken);
            if (ack.IsCompletedSuccessfully)
            {
                answer = Settle(ack.Result, taken.Charge, taken.Level, taken.Started, page);
                return null;
            }
        }
        catch (Exception error)
        {
            answer = Failed(error, page);
            intake.End();
            return null;
        }

        answer = default;
        PendingEvent pending = _idle.TryDequeue(out PendingEvent? idle) ? idle : new PendingEvent(this);
        pending.Prepare(ack, taken, page);
        return pending;
    }

    private DoorAnswer Settle(Ack ack, Charge charge, AckLevel level, long started, PageAnswer page)
    {
        DoorAnswer answer;
        if (intake.Settle(ack, charge, level, out Acknowledgement told) is { } refusal)
        {
            answer = DoorAnswer.Refused(refusal, page);
        }
        else
        {
            answer = DoorAnswer.Acknowledged(told.Level!, told.Key, told.IsLess, page);
            intake.StopTimer(started);
        }

        intake.End();
        return answer;
    }

    private DoorAnswer Fail(Exception error, Charge charge, PageAnswer page)
    {
        EventIntake.Fail(charge);
        intake.End();
        return Failed(error, page);
    }

    // As behind Kestrel: what was cancelled came too late, and all else is our fault.
    private DoorAnswer Failed(Exception error, PageAnswer page)
    {
        if (error is OperationCanceledException)
        {
            return DoorAnswer.Refused(intake.Refusals.Timeout, page);
        }

        end.OnFault(error, "POST", path);
        return DoorAnswer.Failed(page);
    }

    /// <summary>An event that waits for its ack level.</summary>
    private sealed class PendingEvent : PendingAnswer
    {
        private readonly CollectFastRoute _route;
        private readonly Action _onAcked;
        private System.Runtime.CompilerServices.ConfiguredValueTaskAwaitable<Ack>.ConfiguredValueTaskAwaiter _ack;
        private Charge _charge;
        private AckLevel _level;
        private long _started;
        private PageAnswer _page;

        internal PendingEvent(CollectFastRoute route)
        {
            _route = route;
            _onAcked = OnAcked;
        }

        internal void Prepare(ValueTask<Ack> ack, in Taken taken, PageAnswer page)
        {
            _ack = ack.ConfigureAwait(false).GetAwaiter();
            _charge = taken.Charge;
            _level = taken.Level;
            _started = taken.Started;
            _page = page;
        }

        /// <inheritdoc/>
        protected override void Wait()
        {
            if (_ack.IsCompleted)
            {
                OnAcked();
            }
            else
            {
                _ack.UnsafeOnCompleted(_onAcked);
            }
        }

        /// <inheritdoc/>
        protected override void OnEnded()
        {
            _ack = default;
            _charge = default;
            _page = default;
            _route._idle.Enqueue(this);
        }

        private void OnAcked()
        {
            DoorAnswer answer;
            try
            {
                answer = _route.Settle(_ack.GetResult(), _charge, _level, _started, _page);
            }
            catch (Exception error)
            {
                answer = _route.Fail(error, _charge, _page);
            }

            OnReady(answer);
        }
    }
}
