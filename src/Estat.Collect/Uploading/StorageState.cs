// Whether the store answers, as attempts to store find it.
using Estat.Base.Storage;

namespace Estat.Collect.Uploading;

/// <summary>One for a node; everybody who writes to the store tells it. Safe for concurrent use.</summary>
/// <param name="waiting">Files in the DLQ and segments in the spool that wait, for the log.</param>
/// <param name="onAnswersAgain">Called when the store answers after it had failed.</param>
/// <param name="time">Clock.</param>
/// <param name="logger">Log.</param>
internal sealed class StorageState(Func<(long Files, int Segments)> waiting, Action onAnswersAgain, TimeProvider time, ILogger logger)
{
    private readonly StorageOutage _outage = new(waiting, time, logger);
    private volatile bool _fails;
    private volatile StorageException? _fault;

    /// <summary>Whether the last upload failed, and nobody has got through since.</summary>
    internal bool Fails => _fails;

    /// <summary>Why it failed; null while it does not.</summary>
    internal StorageException? Fault => _fails ? _fault : null;

    /// <summary>Somebody got through: a node without new requests must not go on saying that storage fails.</summary>
    internal void OnAnswer()
    {
        if (_fails)
        {
            _fails = false;
            _outage.OnAnswer();
            onAnswersAgain();
        }
    }

    /// <summary>An attempt failed, whoever made it; the log hears of the outage, not of each attempt.</summary>
    internal void OnFailed(string key, StorageException error)
    {
        _outage.OnFailed(key, error.Message); // first: an answer that comes in between must not leave an outage open that nothing ends
        _fault = error;
        _fails = true;
    }
}
