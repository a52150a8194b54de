// A file on its way: read in order, several requests in flight, each answer noted on the disk before the next is begun in its place.
using Estat.Cli.Frame;

namespace Estat.Cli.Send;

/// <summary>How it is sent.</summary>
/// <param name="InFlight">Requests at once.</param>
/// <param name="MaxEvents">Events in one request at most.</param>
/// <param name="MaxBytes">Bytes in one request at most, unpacked; a longer line goes alone.</param>
/// <param name="Rate">Events a second at most; null: as fast as they are taken.</param>
/// <param name="CheckpointPath">Where it is noted how far it is; null for standard input.</param>
internal sealed record SendPlan(int InFlight, int MaxEvents, int MaxBytes, double? Rate, string? CheckpointPath);

/// <summary>
/// Invariant: the checkpoint names exactly what was acknowledged or rejected, also where an earlier request is still open
/// (<see cref="Checkpoint.Beyond"/>); only a kill between an answer and its note can leave it behind. At an interruption no further request begins
/// and those in flight end.
/// </summary>
/// <param name="source">The lines.</param>
/// <param name="plan">How.</param>
/// <param name="delivery">Sends one request; ends its waits when <paramref name="stop"/> is cancelled.</param>
/// <param name="rejects">Where lines that were not taken go, if anywhere.</param>
/// <param name="stop">Cancelled by an interruption, or here by a failure.</param>
/// <param name="shell">For notes.</param>
/// <param name="progress">For the bar.</param>
internal sealed class SendRun(
    EventSource source, SendPlan plan, Delivery delivery, RejectsFile? rejects, CancellationTokenSource stop, Shell shell,
    Progress progress) : IDisposable
{
    private const int RejectsShown = 10;
    private const int Window = 4; // requests noted beyond the first open one, times those in flight

    private readonly Lock _gate = new();
    private readonly SortedDictionary<long, SendRequest> _beyond = [];
    private readonly SemaphoreSlim _slots = new(plan.InFlight);
    private readonly SemaphoreSlim _window = new(plan.InFlight * Window);
    private Exception? _failure;
    private int _shown;

    /// <summary>How far it is.</summary>
    internal required Checkpoint State { get; set; }

    /// <summary>Sends what is left.</summary>
    /// <returns>Whether all of it is done.</returns>
    /// <exception cref="CliException">The node refuses for good, or the file is not what was sent before. The checkpoint is written.</exception>
    internal async Task<bool> RunAsync()
    {
        using var reader = new RequestReader(source.Content, plan.MaxEvents, plan.MaxBytes, State.Beyond);
        bool ended = false;
        string? damage = null;
        var open = new List<Task>();
        try
        {
            source.RefuseForeign((await reader.StartAsync(stop.Token).ConfigureAwait(false)).Span);
            await ResumeAsync(reader).ConfigureAwait(false);
            long started = shell.Time.GetTimestamp();
            long begun = 0;
            while (!stop.IsCancellationRequested)
            {
                await _window.WaitAsync(stop.Token).ConfigureAwait(false);
                await _slots.WaitAsync(stop.Token).ConfigureAwait(false);
                await PaceAsync(started, begun).ConfigureAwait(false);
                if (await reader.NextAsync(stop.Token).ConfigureAwait(false) is not { } request)
                {
                    ended = true;
                    break;
                }

                begun += request.Lines.Count;
                open.RemoveAll(task => task.IsCompleted);
                open.Add(Task.Run(() => SendAsync(request)));
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // No further request begins.
        }
        catch (Exception error) when (error is InvalidDataException or IOException)
        {
            damage = source.Explain(error);
        }
        finally
        {
            await Task.WhenAll(open).ConfigureAwait(false);
        }

        damage ??= ended && source.LooksTruncated(reader.Offset) ? EventSource.EndsEarly : null;
        if (damage is not null && _failure is null)
        {
            string unfinished = reader.UnfinishedLine is { } line ? $"; line {line} is unfinished and was not sent" : "";
            _failure = new CliException(
                $"{source.Path ?? "standard input"}: {damage}; the {Words.Count(State.Events, "event")} before that were sent{unfinished}");
        }

        bool whole = ended && _failure is null && State.Offset == reader.Offset;
        lock (_gate)
        {
            Save(State with { Finished = whole, Cut = damage is not null });
        }

        return _failure is null ? whole : throw _failure;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _slots.Dispose();
        _window.Dispose();
    }

    private async Task ResumeAsync(RequestReader reader)
    {
        if (State.Offset > 0 && await reader.SkipToAsync(State.Offset, State.Line, stop.Token).ConfigureAwait(false) != State.Sha256)
        {
            throw new CliException(
                $"{source.Path}: the part of this file that was sent before has changed. --again sends the file from its beginning");
        }
    }

    // Of a rate: the next request waits until those before it are due.
    private async Task PaceAsync(long started, long begun)
    {
        if (plan.Rate is { } rate && TimeSpan.FromSeconds(begun / rate) - shell.Time.GetElapsedTime(started) is { Ticks: > 0 } early)
        {
            await Task.Delay(early, shell.Time, stop.Token).ConfigureAwait(false);
        }
    }

    private async Task SendAsync(SendRequest request)
    {
        try
        {
            Delivered delivered = request.WasDone ? new Delivered(0, [], 0, true) : await delivery.DeliverAsync(request).ConfigureAwait(false);
            lock (_gate)
            {
                Note(request, delivered);
            }
        }
        catch (Exception error)
        {
            lock (_gate)
            {
                _failure ??= error;
            }

            await stop.CancelAsync().ConfigureAwait(false);
        }
        finally
        {
            _slots.Release();
        }
    }

    private void Note(SendRequest request, Delivered delivered)
    {
        if (!delivered.IsDone)
        {
            Save(State with { Uncertain = State.Uncertain + delivered.Uncertain });
            return;
        }

        if (delivered.Rejected.Count > 0)
        {
            rejects?.Append(delivered.Rejected);
            Show(delivered.Rejected);
        }

        _beyond.Add(request.From, request);
        Checkpoint next = State;
        while (_beyond.Remove(next.Offset, out SendRequest? done))
        {
            next = next with { Offset = done.To, Line = next.Line + done.LineCount, Sha256 = done.Sha256 };
            _window.Release();
        }

        // What an earlier run had noted and the reader has not come to yet stays noted.
        IEnumerable<SentRange> ahead = State.Beyond.Where(range => range.From >= next.Offset && !_beyond.ContainsKey(range.From));
        Save(next with
        {
            Beyond = [.. ahead.Concat(_beyond.Values.Select(done => new SentRange(done.From, done.To, done.LineCount))).OrderBy(range => range.From)],
            Events = next.Events + delivered.Accepted,
            Rejected = next.Rejected + delivered.Rejected.Count,
            RejectsBytes = rejects?.Length ?? 0,
            Uncertain = next.Uncertain + delivered.Uncertain,
        });
        Report();
    }

    private void Save(Checkpoint state)
    {
        State = state;
        if (plan.CheckpointPath is { } path)
        {
            state.Write(path);
        }
    }

    private void Show(IReadOnlyList<RejectedLine> rejected)
    {
        foreach (RejectedLine line in rejected)
        {
            if (_shown++ < RejectsShown)
            {
                shell.Note($"line {line.Number}: {Shell.Printable(line.Reason)}");
            }
        }

        if (_shown > RejectsShown && _shown - rejected.Count <= RejectsShown)
        {
            shell.Note($"more lines were rejected; {(rejects is null ? "--rejects FILE keeps them" : "all of them are in the file of --rejects")}");
        }
    }

    private void Report()
    {
        progress.Set(source.Position, source.Size);
        string waiting = delivery.WaitingFor is { } reason ? $"; waiting: {Shell.Printable(reason)}" : "";
        progress.Detail = $"{Words.Count(State.Events, "event")}{(State.Rejected > 0 ? $", {Words.Count(State.Rejected)} rejected" : "")}{waiting}";
    }
}
