// Puts a sealed batch under its key exactly once, whatever earlier attempts did without our hearing of it.
using System.IO.Compression;
using System.Security.Cryptography;
using Estat.Base.Memory;
using Estat.Base.Storage;
using Estat.Collect.Metrics;
using Estat.Lake.Names;

namespace Estat.Collect.Uploading;

/// <summary>
/// The rule for a taken key (412): the same hash → it is there, done; something that begins with all of mine → it is there, done; a prefix of mine →
/// the remainder goes, by the same rule, under the key with <see cref="ObjectKeys.RestSuffix"/>; anything else → alarm, and a key made from mine and
/// my hash. Every key follows from the batch alone, so an attempt can be repeated by anyone, also by a silo that holds less or more of the batch, at
/// any time without a duplicate.
/// </summary>
internal sealed partial class ObjectWriter(IObjectStore store, EstatInstruments instruments, ILogger logger)
{
    private const int HashDigitsInKey = 16;

    /// <summary>Stores the content. When this returns, all of it is durable.</summary>
    /// <returns>The key under which it, or its remainder, lies.</returns>
    /// <exception cref="StorageException">Nobody knows; repeat it.</exception>
    internal async Task<string> WriteAsync(string key, ObjectContent content, CancellationToken cancellationToken)
    {
        if (await CreateOrFindAsync(key, content, cancellationToken).ConfigureAwait(false))
        {
            return key;
        }

        Seal? there = await store.ReadSealAsync(key, cancellationToken).ConfigureAwait(false);
        if (IsPrefix(there, content))
        {
            using var rest = new PooledStream();
            ObjectContent remainder = Remainder(content, there!, rest);
            string restKey = ObjectKeys.WithSuffix(key, ObjectKeys.RestSuffix);
            LogPrefixFound(logger, restKey, there!.Events, content.Seal.Events);
            return await WriteAsync(restKey, remainder, cancellationToken).ConfigureAwait(false);
        }

        if (await IsPrefixOfAsync(key, there, content, cancellationToken).ConfigureAwait(false))
        {
            LogLongerFound(logger, key, there!.Events, content.Seal.Events);
            return key;
        }

        return await WriteElsewhereAsync(key, content, cancellationToken).ConfigureAwait(false);
    }

    private async Task<string> WriteElsewhereAsync(string key, ObjectContent content, CancellationToken cancellationToken)
    {
        instruments.OnKeyConflict();
        string other = ObjectKeys.WithSuffix(key, "_" + content.Seal.Sha256[..HashDigitsInKey]);
        LogKeyConflict(logger, key, other);
        return await CreateOrFindAsync(other, content, cancellationToken).ConfigureAwait(false)
            ? other
            : throw new StorageException(
                StorageFailure.Refused, $"{store.Description}: both {key} and {other} hold objects of another writer. Find out what else writes to "
                    + "this prefix");
    }

    private async Task<bool> CreateOrFindAsync(string key, ObjectContent content, CancellationToken cancellationToken)
    {
        if (await store.CreateAsync(key, content, cancellationToken).ConfigureAwait(false) == CreateOutcome.Created)
        {
            return true;
        }

        return await IsThereAsync(key, content.Seal, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Whether what lies under the key has this seal's hash.</summary>
    /// <exception cref="StorageException">The store did not answer.</exception>
    internal async Task<bool> IsThereAsync(string key, Seal seal, CancellationToken cancellationToken) =>
        (await store.ReadSealAsync(key, cancellationToken).ConfigureAwait(false))?.Sha256 == seal.Sha256;

    private static bool IsPrefix(Seal? there, ObjectContent content)
    {
        if (there is null || !content.IsGzip || there.Events <= 0 || there.Events >= content.Seal.Events)
        {
            return false;
        }

        using Stream mine = content.OpenContent();
        return ContentCheck.HashOfPrefix(mine, there.Events) == there.Sha256;
    }

    // Read and compared, not believed: somebody else's object may be longer too.
    private async Task<bool> IsPrefixOfAsync(string key, Seal? there, ObjectContent content, CancellationToken cancellationToken)
    {
        if (there is null || !content.IsGzip || there.Events <= content.Seal.Events)
        {
            return false;
        }

        using Stream? theirs = await store.ReadAsync(key, cancellationToken).ConfigureAwait(false);
        try
        {
            return theirs is not null && ContentCheck.HashOfPrefix(theirs, content.Seal.Events) == content.Seal.Sha256;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    private static ObjectContent Remainder(ObjectContent content, Seal there, PooledStream rest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long events = 0;
        long bytes = 0;
        using (var gzip = new GZipStream(rest, CompressionLevel.Fastest, leaveOpen: true))
        using (Stream mine = content.OpenContent())
        {
            ContentCheck.ForEachLine(mine, (line, index) =>
            {
                if (index >= there.Events)
                {
                    gzip.Write(line);
                    hash.AppendData(line);
                    events++;
                    bytes += line.Length;
                }
            }, out _, out _);
        }

        var seal = new Seal(events, bytes, Convert.ToHexStringLower(hash.GetHashAndReset()), content.Seal.LastSequence);
        return new ObjectContent(rest.OpenRead, seal, IsGzip: true);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "An object with the first {There} of {Mine} events was there already; the node stores the "
        + "rest as {Key}")]
    private static partial void LogPrefixFound(ILogger logger, string key, long there, long mine);

    [LoggerMessage(Level = LogLevel.Information,
        Message = "{Key} holds {There} events that begin with these {Mine}: another silo stored more of the batch")]
    private static partial void LogLongerFound(ILogger logger, string key, long there, long mine);

    [LoggerMessage(Level = LogLevel.Critical,
        Message = "Another writer's object is at {Key}; the node stores the batch as {Other}. Find out what else writes to this prefix")]
    private static partial void LogKeyConflict(ILogger logger, string key, string other);
}
