// The shell around the engine's uploads; how many run at once is the engine's UPLOAD_CONCURRENCY.
using Estat.Collect.Hosting;

namespace Estat.Grains.Uploading;

/// <summary>Two at once at the most: a wish that hangs on storage must not gather others behind it without bound, nor keep them all out.</summary>
[StatelessWorker(MostAtOnce), GrainType("uploader")]
internal sealed class UploaderGrain(Engine engine) : Grain, IUploaderGrain
{
    private const int MostAtOnce = 2;

    /// <inheritdoc/>
    public Task FlushAsync()
    {
        engine.Flush();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public Task<string?> RetryAsync() => engine.RecoverAsync();
}
