// Objects back through ingest: fetched ahead, sent several requests at once, acknowledged in order.
using Estat.Base.Storage;
using Estat.Lake.Reading;

namespace Estat.Lake.Replaying;

/// <summary>How an <see cref="IngestReplay"/> runs.</summary>
internal sealed record IngestSettings
{
    internal required IObjectCatalog Store { get; init; }

    internal required KeyRange Range { get; init; }

    internal required RequestSettings Requests { get; init; }

    /// <summary>Requests at once.</summary>
    internal int Connections { get; init; } = 4;

    /// <summary>Objects that are fetched ahead.</summary>
    internal int Parallel { get; init; } = 2;

    /// <summary>Which keys hold events; the rest is passed over.</summary>
    internal Func<string, bool> IsWanted { get; init; } = _ => true;

    /// <summary>Events a second; null: as fast as it goes.</summary>
    internal Pace? ByEvents { get; init; }

    /// <summary>Bytes a second.</summary>
    internal Pace? ByBytes { get; init; }
}

/// <summary>
/// Exact under an interruption: what was acknowledged is in the state, in order or <see cref="ReplayState.Beyond"/>, and is not sent again. After
/// kill -9 what was acknowledged since the last save is sent again, under the same ids. One thread owns the state.
/// </summary>
internal sealed class IngestReplay(IngestSettings settings, IReplayTarget target, ReplayState state, Action<ReplayState> save, TimeProvider time)
{
    private static readonly TimeSpan SaveEvery = TimeSpan.FromMilliseconds(100);
    private readonly Queue<Step> _window = new();
    private readonly ObjectReads _reads = new(settings.Store);

    // One request was given up: those behind it may have been taken all the same.
    private bool _isBroken;
    private long _saved = time.GetTimestamp();

    /// <summary>Called with each thing that was not replayed: key, line (0: the whole object), why.</summary>
    internal required Action<string, long, string> OnFailed { get; init; }

    /// <summary>Called after each object.</summary>
    internal required Action<ObjectEntry> OnObject { get; init; }

    /// <summary>Runs, or goes on from the state.</summary>
    /// <returns>Whether it came to the end of the range.</returns>
    internal async Task<bool> RunAsync(CancellationToken asked)
    {
        KeyRange range = settings.Range;
        if (state.Key is { } key)
        {
            // The object in which it stopped is read once more; lines that were acknowledged are passed over.
            range = range with { AfterKey = state.Line == long.MaxValue ? key : Before(key) };
        }

        try
        {
            bool ended = await LakeScan.RunAsync(settings.Store, range, settings.Parallel, FetchAsync, async (entry, read) =>
            {
                using (read.Object)
                {
                    if (read.Object is not null && !asked.IsCancellationRequested)
                    {
                        await ReplayAsync(read.Object, asked).ConfigureAwait(false);
                    }
                    else if (read.Refusal is { } refusal && !asked.IsCancellationRequested)
                    {
                        await PushAsync(new Step(null, null, new ObjectEnd(entry, new PassedLines(0, [(0, refusal)])))).ConfigureAwait(false);
                    }
                }
            }, asked).ConfigureAwait(false);
            while (_window.Count > 0)
            {
                await TakeOneAsync().ConfigureAwait(false); // the first that failed is told
            }

            return ended && !_isBroken && !asked.IsCancellationRequested;
        }
        finally
        {
            await EmptyWindowAsync().ConfigureAwait(false);
            save(state);
        }
    }

    // The greatest text that is less than a key and of use as "after": the key without its last character.
    private static string Before(string key) => key[..^1];

    private async Task<(FetchedObject? Object, string? Refusal)> FetchAsync(ObjectEntry entry) =>
        settings.IsWanted(entry.Key) && !FolderMarker.Is(entry)
            ? await _reads.GetAsync(entry.Key, CancellationToken.None).ConfigureAwait(false)
            : (null, null);

    private async Task ReplayAsync(FetchedObject fetched, CancellationToken asked)
    {
        string key = fetched.Entry.Key;
        using var builder = new RequestBuilder(fetched, settings.Requests, line => state.IsDone(key, line));
        while (!asked.IsCancellationRequested && builder.Next() is { } request)
        {
            try
            {
                await PaceAsync(request, asked).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (asked.IsCancellationRequested)
            {
                break; // built and not sent
            }

            await PushAsync(new Step(request, Task.Run(() => target.SendAsync(request, asked), CancellationToken.None), null)).ConfigureAwait(false);
        }

        if (!asked.IsCancellationRequested)
        {
            await PushAsync(new Step(null, null, new ObjectEnd(fetched.Entry, builder.Passed()))).ConfigureAwait(false);
        }
    }

    private async ValueTask PaceAsync(ReplayRequest request, CancellationToken asked)
    {
        if (settings.ByEvents is { } events)
        {
            await events.WaitAsync(request.Lines.Count, asked).ConfigureAwait(false);
        }

        if (settings.ByBytes is { } bytes)
        {
            await bytes.WaitAsync(request.Content.Length, asked).ConfigureAwait(false);
        }
    }

    private async ValueTask PushAsync(Step step)
    {
        _window.Enqueue(step);
        while (_window.Count > settings.Connections)
        {
            await TakeOneAsync().ConfigureAwait(false);
        }
    }

    private async Task TakeOneAsync()
    {
        Step step = _window.Peek();
        if (step.Answer is not null)
        {
            await step.Answer.ConfigureAwait(false);
        }

        Note(_window.Dequeue());
    }

    private void Note(Step step)
    {
        if (step.End is { } end)
        {
            if (!_isBroken)
            {
                NotePassed(end.Entry.Key, end.Passed);
                state.Objects++;
                state.Reach(end.Entry.Key, long.MaxValue);
                OnObject(end.Entry);
            }

            return;
        }

        ReplayRequest request = step.Request!;
        ReplayAnswer answer = step.Answer!.Result; // completed
        state.Uncertain += answer.WasUncertain ? request.Lines.Count : 0;
        if (!answer.IsTaken)
        {
            _isBroken = true;
            return;
        }

        NotePassed(request.Key, request.Passed);
        foreach ((int index, string reason) in answer.Rejected)
        {
            state.Failed++;
            OnFailed(request.Key, request.Lines[index], $"rejected: {reason}");
        }

        state.Events += request.Lines.Count - answer.Rejected.Count;
        state.Bytes += request.Content.Length;
        if (_isBroken)
        {
            state.Beyond.Add(new DoneLines(request.Key, request.FirstLine, request.LastLine));
        }
        else
        {
            state.Reach(request.Key, request.LastLine);
        }

        SaveSoon();
    }

    private void NotePassed(string key, PassedLines passed)
    {
        state.LeftOut += passed.LeftOut;
        foreach ((long line, string fault) in passed.Faults)
        {
            state.Failed++;
            OnFailed(key, line, fault);
        }
    }

    private async Task EmptyWindowAsync()
    {
        while (_window.TryDequeue(out Step? step))
        {
            if (step.Answer is not null)
            {
                // What failed is told by whoever waited for the first that did.
                await ((Task)step.Answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (!step.Answer.IsCompletedSuccessfully)
                {
                    _isBroken = true;
                    continue;
                }
            }

            Note(step);
        }
    }

    private void SaveSoon()
    {
        if (time.GetElapsedTime(_saved) >= SaveEvery)
        {
            save(state);
            _saved = time.GetTimestamp();
        }
    }

    private sealed record ObjectEnd(ObjectEntry Entry, PassedLines Passed);

    // A request on its way, or the end of an object behind all of its requests.
    private sealed record Step(ReplayRequest? Request, Task<ReplayAnswer>? Answer, ObjectEnd? End);
}
