// Answers that go on: server-sent events to those who watch.
using Estat.Base.Threading;
using Estat.Http.Answering;

namespace Estat.Http.Administration;

/// <summary>
/// Bounds how many watch, and ends them all when the node begins to drain: a watcher must not hold up a stop. The writer leaves the thread of the
/// socket after each write.
/// </summary>
/// <param name="most">Watchers at once; more are answered 503.</param>
/// <param name="stopping">Completes when the node begins to drain.</param>
internal sealed class EventStreams(int most, Task stopping)
{
    private readonly Problem _tooMany = Problem.Unavailable($"This node has {most} watchers, the most that it allows. Close one of them, or try "
        + "again later.");
    private readonly Problem _stopping = Problem.Unavailable("This node is shutting down. Ask another one, or try again in a moment.", closes: true);
    private int _open;

    /// <summary>Answers with a stream.</summary>
    /// <param name="context">The request.</param>
    /// <param name="run">Writes until it is told to end; an end by its token is none of its errors.</param>
    internal async Task RunAsync(HttpContext context, Func<EventWriter, CancellationToken, Task> run)
    {
        if (stopping.IsCompleted)
        {
            await _stopping.WriteAsync(context).ConfigureAwait(false);
            return;
        }

        if (Interlocked.Increment(ref _open) > most)
        {
            Interlocked.Decrement(ref _open);
            await _tooMany.WriteAsync(context).ConfigureAwait(false);
            return;
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        try
        {
            Task<bool> running = ServeAsync(context, run, ending.Token);
            await Task.WhenAny(running, stopping).ConfigureAwait(false);
            await ending.CancelAsync().ConfigureAwait(false);
            if (!await running.ConfigureAwait(false))
            {
                context.Abort(); // a reader who takes nothing: the rest of what was written would keep the connection open
            }
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    // False when it was ended in the middle of a write.
    private static async Task<bool> ServeAsync(
        HttpContext context, Func<EventWriter, CancellationToken, Task> run, CancellationToken cancellationToken)
    {
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers["X-Accel-Buffering"] = "no"; // nginx would gather events until they fill a page
        var writer = new EventWriter(context);
        try
        {
            await writer.WriteAsync(": estat\n\n"u8.ToArray(), cancellationToken).ConfigureAwait(false);
            await run(writer, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (cancellationToken.IsCancellationRequested && error is OperationCanceledException or IOException)
        {
            // The watcher left, or the node stops.
        }

        return !writer.IsWriting;
    }
}

/// <summary>Writes to one watcher.</summary>
internal sealed class EventWriter(HttpContext context)
{
    /// <summary>Whether a write was begun and has not ended.</summary>
    internal bool IsWriting { get; private set; }

    /// <summary>Writes whole events, and goes on on the thread pool.</summary>
    internal async Task WriteAsync(ReadOnlyMemory<byte> events, CancellationToken cancellationToken)
    {
        IsWriting = true;
        await AnswerBody.WriteAsync(context, events, own: events.Length, cancellationToken).ConfigureAwait(false);
        await context.Response.Body.FlushAsync(cancellationToken).ConfigureAwait(false);
        IsWriting = false;
        await PoolThread.Switch();
    }
}
