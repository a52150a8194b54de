// Reads object after object where the store may refuse some of them.
using Estat.Base.Storage;

namespace Estat.Lake.Reading;

/// <summary>
/// A refusal of one object (archived, encrypted by a key that is gone, denied by a policy) is told, and the rest is read. When the first
/// <see cref="MostAtFirst"/> objects are refused and none was given, it is a refusal of everything, and ends the run. Safe for concurrent use.
/// </summary>
internal sealed class ObjectReads(IObjectCatalog store)
{
    /// <summary>Refusals before the first object that is given. Archived objects are not counted: the answer says whom it concerns.</summary>
    internal const int MostAtFirst = 20;

    private int _refused;
    private volatile bool _wasGiven;

    /// <summary>Fetches one object.</summary>
    /// <returns>Neither when nothing lies under the key.</returns>
    /// <exception cref="StorageException">The store refuses everything, or did not answer however often it was asked.</exception>
    internal async Task<(FetchedObject? Object, string? Refusal)> GetAsync(string key, CancellationToken cancellationToken)
    {
        try
        {
            FetchedObject? fetched = await FetchedObject.GetAsync(store, key, cancellationToken).ConfigureAwait(false);
            _wasGiven |= fetched is not null;
            return (fetched, null);
        }
        catch (StorageException error) when (IsOfObject(error))
        {
            return (null, WordsOf(error, key));
        }
    }

    /// <summary>Whether a refusal is taken as one of its object alone. To be asked once for each.</summary>
    internal bool IsOfObject(StorageException error) => error.OfObject switch
    {
        ObjectRefusal.Certain => true,
        ObjectRefusal.Possible => _wasGiven || Interlocked.Increment(ref _refused) <= MostAtFirst,
        _ => false,
    };

    /// <summary>What the store says, without the place and key, which the caller prints anyway.</summary>
    internal static string WordsOf(StorageException error, string key)
    {
        string what = $"GET {key}: ";
        int at = error.Message.IndexOf(what, StringComparison.Ordinal);
        return $"the store does not give it: {(at < 0 ? error.Message : error.Message[(at + what.Length)..])}";
    }
}
