// A real store with a switch: what a test cannot make a disk or a network do at an exact moment.
using System.Runtime.CompilerServices;
using Estat.Base.Storage;

namespace Estat.Tests.Support;

/// <summary>Passes everything on unless told to fail or to wait, and counts.</summary>
internal sealed class SwitchedStore(IObjectCatalog inner) : IObjectCatalog
{
    private int _creates;
    private int _checks;

    /// <summary>How requests fail from now on; null: they do not.</summary>
    internal StorageFailure? Fails { get; set; }

    /// <summary>Which keys fail; null: all.</summary>
    internal Func<string, bool>? FailsFor { get; set; }

    /// <summary>Creates wait for it, or for their cancellation.</summary>
    internal TaskCompletionSource? Gate { get; set; }

    /// <summary>Is given the token of each create, as what sends it is.</summary>
    internal Action<CancellationToken>? OnCreate { get; set; }

    /// <summary>Creates are done and then reported as failed: the answer that got lost.</summary>
    internal bool LosesAnswers { get; set; }

    internal int Creates => Volatile.Read(ref _creates);

    /// <summary>Entries of listings that somebody looked at.</summary>
    internal int Listed { get; private set; }

    internal int Checks => Volatile.Read(ref _checks);

    /// <inheritdoc/>
    public string Description => inner.Description;

    /// <inheritdoc/>
    public async Task<CreateOutcome> CreateAsync(string key, ObjectContent content, CancellationToken cancellationToken)
    {
        OnCreate?.Invoke(cancellationToken);
        Interlocked.Increment(ref _creates);
        if (Gate is { } gate)
        {
            await gate.Task.WaitAsync(cancellationToken);
        }

        ThrowIfFailing(key);
        CreateOutcome outcome = await inner.CreateAsync(key, content, cancellationToken);
        return LosesAnswers ? throw new StorageException(StorageFailure.Transient, "the answer was lost") : outcome;
    }

    /// <inheritdoc/>
    public Task<Seal?> ReadSealAsync(string key, CancellationToken cancellationToken)
    {
        ThrowIfFailing(key);
        return inner.ReadSealAsync(key, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<Stream?> ReadAsync(string key, CancellationToken cancellationToken)
    {
        ThrowIfFailing(key);
        return inner.ReadAsync(key, cancellationToken);
    }

    /// <inheritdoc/>
    public bool KeepsMetadata => inner.KeepsMetadata;

    /// <inheritdoc/>
    public async IAsyncEnumerable<ObjectEntry> ListAsync(string prefix, string? after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ThrowIfFailing(prefix);
        await foreach (ObjectEntry entry in inner.ListAsync(prefix, after, cancellationToken))
        {
            Listed++;
            yield return entry;
        }
    }

    /// <inheritdoc/>
    public Task<OpenObject?> OpenAsync(string key, CancellationToken cancellationToken)
    {
        ThrowIfFailing(key);
        return inner.OpenAsync(key, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<bool> DeleteAsync(string key, CancellationToken cancellationToken)
    {
        ThrowIfFailing(key);
        return inner.DeleteAsync(key, cancellationToken);
    }

    /// <inheritdoc/>
    public Task CheckAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _checks);
        ThrowIfFailing("");
        return inner.CheckAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => inner.Dispose();

    private void ThrowIfFailing(string key)
    {
        if (Fails is { } failure && FailsFor?.Invoke(key) != false)
        {
            throw new StorageException(failure, $"switched off for {key}: {failure}");
        }
    }
}
