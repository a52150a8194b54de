// Whether storage can be reached: asked at most once a second however many ask, and every ten seconds while it is well.
namespace Estat.Base.Storage;

/// <summary>
/// A shared, briefly remembered <see cref="IObjectStore.CheckAsync"/>, so that health checks cost the store little: it is a LIST and a PUT. A good
/// answer is remembered for longer, as failed uploads show what comes after it.
/// </summary>
public sealed class StorageProbe(IObjectStore store, TimeProvider time)
{
    private static readonly TimeSpan GoodRemembered = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private Task<StorageException?>? _last;
    private long _asked;

    /// <summary>Null when storage answered; else what is wrong with it.</summary>
    /// <param name="isDoubted">Whether an upload has failed since: a good answer then counts for no longer than a bad one.</param>
    public Task<StorageException?> AskAsync(bool isDoubted = false)
    {
        lock (_gate)
        {
            if (_last is null || (_last.IsCompleted && time.GetElapsedTime(_asked) >= (isDoubted || !IsGood(_last) ? Remembered : GoodRemembered)))
            {
                _asked = time.GetTimestamp();
                _last = CheckAsync();
            }

            return _last;
        }
    }

    private static bool IsGood(Task<StorageException?> last) => last is { IsCompletedSuccessfully: true, Result: null };

    private async Task<StorageException?> CheckAsync()
    {
        try
        {
            await store.CheckAsync(CancellationToken.None).ConfigureAwait(false);
            return null;
        }
        catch (StorageException error)
        {
            return error;
        }
    }
}
