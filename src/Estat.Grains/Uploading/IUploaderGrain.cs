// A silo's uploads, at somebody's wish.
namespace Estat.Grains.Uploading;

/// <summary>Acts on the silo that the call came to.</summary>
[Alias("estat.IUploaderGrain")]
public interface IUploaderGrain : IGrainWithIntegerKey
{
    /// <summary>Seals every open batch of the silo, so that it is uploaded now and not at FLUSH_INTERVAL.</summary>
    [Alias("flush")]
    Task FlushAsync();

    /// <summary>If storage answers, whatever waits on the silo's disk is due at once.</summary>
    /// <returns>Null when storage answered; else what is wrong with it.</returns>
    [Alias("retry")]
    Task<string?> RetryAsync();
}
