// Whether storage can be reached, asked at most once a second however many ask.
namespace Estat.Base.Storage;

/// <summary>A shared, briefly remembered <see cref="IObjectStore.CheckAsync"/>, so that health checks cost the store little.</summary>
public sealed class SinkProbe(IObjectStore store, TimeProvider time)
{
    private static readonly TimeSpan Remembered = TimeSpan.FromSeconds(1);
    private readonly Lock _gate = new();
    private Task<StorageException?>? _last;
    private long _asked;

    /// <summary>Null when storage answered; else what is wrong with it.</summary>
    public Task<StorageException?> AskAsync()
    {
        lock (_gate)
        {
            if (_last is null || (_last.IsCompleted && time.GetElapsedTime(_asked) >= Remembered))
            {
                _asked = time.GetTimestamp();
                _last = CheckAsync();
            }

            return _last;
        }
    }

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
