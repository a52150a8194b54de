// An answer that is not known yet, or that waits for those before it.
using System.Diagnostics;

namespace Estat.Http.FastDoor;

/// <summary>
/// The answer of one request in its connection's <see cref="AnswerQueue"/>. It is told to begin once it has its place there; from then on
/// <see cref="OnReady"/> is called once, on any thread.
/// </summary>
internal abstract class PendingAnswer
{
    private AnswerQueue? _queue;

    /// <summary>What it says; valid from <see cref="OnReady"/> on.</summary>
    internal DoorAnswer Answer { get; private set; }

    /// <summary>The request's span; null for nearly all.</summary>
    internal Activity? Span { get; set; }

    /// <summary>The queue's own.</summary>
    internal PendingAnswer? Next { get; set; }

    /// <summary>The queue's own: whether the answer is known.</summary>
    internal bool IsReady { get; set; }

    /// <summary>Has a place in the queue, and begins to wait.</summary>
    internal void Begin(AnswerQueue queue)
    {
        _queue = queue;
        Wait();
    }

    /// <summary>Nobody reads it any more. It may be used again.</summary>
    internal void End()
    {
        _queue = null;
        Span = null;
        Next = null;
        IsReady = false;
        Answer = default;
        OnEnded();
    }

    /// <summary>Waits for what decides the answer, which may be there already.</summary>
    protected abstract void Wait();

    /// <summary>Nothing is kept of it.</summary>
    protected abstract void OnEnded();

    /// <summary>The answer is known.</summary>
    protected void OnReady(in DoorAnswer answer)
    {
        Answer = answer;
        _queue!.OnReady(this);
    }
}

/// <summary>An answer that was known at once, and waits for those before it.</summary>
/// <param name="answer">The answer.</param>
internal sealed class KnownAnswer(DoorAnswer answer) : PendingAnswer
{
    /// <inheritdoc/>
    protected override void Wait() => OnReady(answer);

    /// <inheritdoc/>
    protected override void OnEnded()
    {
    }
}
