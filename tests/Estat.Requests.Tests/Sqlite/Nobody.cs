namespace Estat.Requests.Tests.Sqlite;

/// <summary>Wants to know nothing.</summary>
internal sealed class Nobody : IStoreObserver
{
    public void OnChanged(IReadOnlyList<RequestRecord> requests)
    {
    }
}
