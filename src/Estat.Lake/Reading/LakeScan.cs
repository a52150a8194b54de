// Goes through a range of objects: several at once, their results in the order of their keys.
using System.Runtime.CompilerServices;
using Estat.Base.Storage;

namespace Estat.Lake.Reading;

/// <summary>
/// Because results come in key order, whoever has taken the result of a key knows that every key before it is done: that is what makes an interrupted
/// run resumable by one key. Memory: <c>parallel</c> objects.
/// </summary>
internal static class LakeScan
{
    /// <summary>Lists the range; a listing that fails in the middle goes on from its last key.</summary>
    /// <exception cref="StorageException">The store refuses, or did not answer however often it was asked.</exception>
    internal static async IAsyncEnumerable<ObjectEntry> ListAsync(
        IObjectCatalog store, KeyRange range, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? last = range.AfterKey;
        int failures = 0;
        while (true)
        {
            if (failures > 0)
            {
                await Task.Delay(FetchedObject.Between.After(failures), cancellationToken).ConfigureAwait(false);
            }

            IAsyncEnumerator<ObjectEntry> listing = store.ListAsync(range.Prefix, last, cancellationToken).GetAsyncEnumerator(cancellationToken);
            await using (listing.ConfigureAwait(false))
            {
                while (true)
                {
                    try
                    {
                        if (!await listing.MoveNextAsync().ConfigureAwait(false))
                        {
                            yield break;
                        }
                    }
                    catch (StorageException error) when (error.Failure == StorageFailure.Transient && failures < FetchedObject.Attempts)
                    {
                        failures++;
                        break;
                    }

                    ObjectEntry entry = listing.Current;
                    if (range.IsPast(entry.Key))
                    {
                        yield break;
                    }

                    failures = 0;
                    last = range.JumpFrom(entry.Key);
                    if (last is not null)
                    {
                        break;
                    }

                    last = entry.Key;
                    if (range.MayHold(entry.Key))
                    {
                        yield return entry;
                    }
                }
            }
        }
    }

    /// <summary>Objects of the range and their bytes, for progress.</summary>
    internal static async Task<(long Objects, long Bytes)> CountAsync(IObjectCatalog store, KeyRange range, CancellationToken cancellationToken)
    {
        long objects = 0;
        long bytes = 0;
        await foreach (ObjectEntry entry in ListAsync(store, range, cancellationToken).ConfigureAwait(false))
        {
            objects++;
            bytes += entry.Bytes;
        }

        return (objects, bytes);
    }

    /// <summary>Runs <paramref name="work"/> on each object and hands its results on in the order of keys.</summary>
    /// <param name="store">Where they lie.</param>
    /// <param name="range">Which.</param>
    /// <param name="parallel">Objects at once.</param>
    /// <param name="work">Runs on the pool.</param>
    /// <param name="take">Called with one result after another. What is thrown here or in the work ends the scan; work in progress is waited
    /// for.</param>
    /// <param name="asked">Once cancelled no further object is begun; what was begun is finished and taken.</param>
    /// <returns>Whether the range was gone through to its end.</returns>
    internal static async Task<bool> RunAsync<T>(
        IObjectCatalog store, KeyRange range, int parallel, Func<ObjectEntry, Task<T>> work, Func<ObjectEntry, T, ValueTask> take,
        CancellationToken asked)
    {
        var running = new Queue<(ObjectEntry Entry, Task<T> Result)>();
        bool ended = true;
        try
        {
            try
            {
                await foreach (ObjectEntry entry in ListAsync(store, range, asked).ConfigureAwait(false))
                {
                    if (asked.IsCancellationRequested)
                    {
                        ended = false;
                        break;
                    }

                    running.Enqueue((entry, Task.Run(() => work(entry), CancellationToken.None)));
                    if (running.Count >= parallel)
                    {
                        await TakeOneAsync().ConfigureAwait(false);
                    }
                }
            }
            catch (OperationCanceledException) when (asked.IsCancellationRequested)
            {
                ended = false;
            }

            while (running.Count > 0)
            {
                await TakeOneAsync().ConfigureAwait(false);
            }

            return ended;
        }
        finally
        {
            await Task.WhenAll(running.Select(pair => (Task)pair.Result)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        async ValueTask TakeOneAsync()
        {
            (ObjectEntry entry, Task<T> result) = running.Peek();
            T value = await result.ConfigureAwait(false);
            running.Dequeue();
            await take(entry, value).ConfigureAwait(false);
        }
    }
}
