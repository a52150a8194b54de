// An object store in memory: conditional creates, failures, lost answers. Its objects outlive the nodes.
using Estat.Base.Storage;
using Estat.Testing.PowerCuts;

namespace Estat.Spool.Tests.Model;

/// <summary>What is stored, judged as it comes. Used with a power's gate held.</summary>
internal sealed class StoredObjects(ModelEvents events)
{
    private readonly Dictionary<string, Seal> _seals = [];
    private readonly Dictionary<string, byte[]> _contents = [];
    private readonly Dictionary<int, List<string>> _keys = [];
    private readonly List<string> _faults = [];

    internal Seal? SealOf(string key) => _seals.GetValueOrDefault(key);

    internal Stream? Read(string key) => _contents.TryGetValue(key, out byte[]? content) ? new MemoryStream(content, writable: false) : null;

    /// <summary>Under which keys an event lies.</summary>
    internal IReadOnlyList<string> KeysOf(int number) => _keys.GetValueOrDefault(number) ?? [];

    /// <summary>What is wrong with what was stored, when everything should be.</summary>
    internal IEnumerable<string> FaultsAtTheEnd()
    {
        foreach (string fault in _faults)
        {
            yield return fault;
        }

        for (int number = 0; number < events.Count; number++)
        {
            IReadOnlyList<string> keys = KeysOf(number);
            Told told = events.ToldOf(number);
            if (keys.Count > 1)
            {
                yield return $"event {number} ({told}) is stored {keys.Count} times: {string.Join(' ', keys)}";
            }
            else if (keys.Count == 0 && told == Told.Accepted)
            {
                yield return $"event {number} was acknowledged and is lost";
            }
            else if (keys.Count == 1 && told == Told.Refused)
            {
                yield return $"event {number} was refused for lack of room and is stored: {keys[0]}";
            }
        }
    }

    internal CreateOutcome Create(string key, byte[] content, Seal seal, bool isGzip)
    {
        if (!_seals.TryAdd(key, seal))
        {
            return CreateOutcome.Exists;
        }

        _contents.Add(key, content);
        if (key.StartsWith("raw/", StringComparison.Ordinal))
        {
            Judge(key, content, seal, isGzip);
        }

        return CreateOutcome.Created;
    }

    private void Judge(string key, byte[] content, Seal seal, bool isGzip)
    {
        try
        {
            Seal actual = ContentCheck.Validate(new MemoryStream(content));
            if (!isGzip || actual.Events != seal.Events || actual.Bytes != seal.Bytes || actual.Sha256 != seal.Sha256)
            {
                _faults.Add($"{key} was sealed as {seal} and is {actual}");
            }

            ContentCheck.ForEachLine(new MemoryStream(content), (line, index) => Note(key, events.NumberOf(line), index), out _, out _);
        }
        catch (InvalidDataException error)
        {
            _faults.Add($"{key}: {error.Message}");
        }
    }

    private void Note(string key, int number, long index)
    {
        if (number < 0)
        {
            _faults.Add($"line {index} of {key} was never sent");
            return;
        }

        if (!_keys.TryGetValue(number, out List<string>? keys))
        {
            _keys.Add(number, keys = []);
        }

        keys.Add(key);
    }
}

/// <summary>The way to the store of one start of a node.</summary>
/// <param name="objects">What is stored.</param>
/// <param name="power">The node's power: without it nothing arrives.</param>
/// <param name="random">Used with the power's gate held.</param>
/// <param name="failures">Probability of an error before an effect, and of one after it.</param>
internal sealed class ModelStore(StoredObjects objects, PowerSwitch power, Random random, double failures) : IObjectStore
{
    private int _outage;

    public string Description => "a store under test";

    public async Task<CreateOutcome> CreateAsync(string key, ObjectContent content, CancellationToken cancellationToken)
    {
        await TravelAsync(cancellationToken);
        using var bytes = new MemoryStream();
        await using (Stream source = content.OpenContent())
        {
            await source.CopyToAsync(bytes, cancellationToken);
        }

        CreateOutcome outcome = Effect(() => objects.Create(key, bytes.ToArray(), content.Seal, content.IsGzip));
        await TravelAsync(cancellationToken);
        return outcome;
    }

    public async Task<Seal?> ReadSealAsync(string key, CancellationToken cancellationToken)
    {
        await TravelAsync(cancellationToken);
        return Effect(() => objects.SealOf(key));
    }

    public async Task<Stream?> ReadAsync(string key, CancellationToken cancellationToken)
    {
        await TravelAsync(cancellationToken);
        return Effect(() => objects.Read(key));
    }

    public Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
    }

    private T Effect<T>(Func<T> effect)
    {
        lock (power.Gate)
        {
            return power.IsOff ? throw Unreachable() : effect();
        }
    }

    // A request or an answer on its way: it takes a moment, and may be lost.
    private async Task TravelAsync(CancellationToken cancellationToken)
    {
        int kind;
        bool isLost;
        lock (power.Gate)
        {
            kind = random.Next(8);
            if (_outage == 0 && random.NextDouble() < failures / 8)
            {
                _outage = random.Next(5, 40);
            }

            isLost = _outage > 0 || random.NextDouble() < failures;
            _outage = Math.Max(0, _outage - 1);
        }

        if (kind == 0)
        {
            await Task.Delay(1, cancellationToken);
        }
        else if (kind < 4)
        {
            await Task.Yield();
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (isLost || power.IsOff)
        {
            throw Unreachable();
        }
    }

    private static StorageException Unreachable() => new(StorageFailure.Transient, "the store does not answer");
}
