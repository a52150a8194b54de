// Something that hangs under a program: one column of the table "SIGTERM ends every program within SHUTDOWN_TIMEOUT whatever hangs".

namespace Estat.Testing;

/// <summary>
/// Neither works nor fails. A row of the table is a program and a hang: <see cref="PrepareAsync"/> adds the options that it needs,
/// <see cref="BeginAsync"/> lets it hang once the program is ready, and dispose lets it go on.
/// </summary>
public abstract class Hang : IAsyncDisposable
{
    /// <summary>How long it may take until the program is really stuck in it.</summary>
    protected static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>A folder of its own.</summary>
    protected TempFolder Folder { get; } = new();

    /// <summary>Why this machine cannot let it hang; null when it can.</summary>
    public virtual string? Missing => null;

    /// <summary>Adds options before the program starts.</summary>
    public virtual Task PrepareAsync(IDictionary<string, string> options) => Task.CompletedTask;

    /// <summary>Lets it hang, and returns once the program has something to wait for.</summary>
    public abstract Task BeginAsync(ServerProcess server);

    /// <inheritdoc/>
    public virtual ValueTask DisposeAsync()
    {
        Folder.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}
