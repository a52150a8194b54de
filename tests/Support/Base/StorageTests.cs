// Tests that run against every place for objects.
namespace Estat.Tests.Support;

/// <summary>Gives its tests empty places and disposes of them.</summary>
public abstract class StorageTests : IAsyncDisposable
{
    private readonly List<StoragePlace> _places = [];

    protected static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (StoragePlace place in _places)
        {
            await place.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    protected abstract Task<StoragePlace> NewPlaceAsync();

    protected async Task<StoragePlace> NewAsync() => Keep(await NewPlaceAsync());

    protected T Keep<T>(T place)
        where T : StoragePlace
    {
        _places.Add(place);
        return place;
    }
}
