// What a cluster asks of a node's engine besides taking events.
namespace Estat.Collect.Hosting;

public sealed partial class Engine
{
    /// <summary>This start of this node, as it stands in every key.</summary>
    public string Instance => _spool.Instance;

    /// <summary>The identity of the spool's folder, the same at every start.</summary>
    public string SpoolId => _spool.Id;

    /// <summary>A second chance for what waits because storage failed: if it answers now, the spool's waiting batches are due at once, and recovery
    /// goes on with the DLQ by its own clock.</summary>
    /// <returns>Null when storage answered; else what is wrong with it.</returns>
    public async Task<string?> RecoverAsync()
    {
        string? fault = (await Sink.AskAsync(isDoubted: _storage.Fault is not null).ConfigureAwait(false))?.Message;
        if (fault is null)
        {
            _storage.OnAnswer();
            OnStorageAnswers();
        }

        return fault;
    }
}
