// A folder for the embedded store. To lose the process, what lies on the disk is copied while it works: that is what a kill leaves.
using Estat.Requests.Deciding;
using Estat.Requests.Options;
using Estat.Requests.Sqlite;
using Estat.Requests.Tests.Storing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Requests.Tests.Sqlite;

internal sealed class SqlitePlace : IStorePlace
{
    private readonly TempFolder _folder = new();
    private int _lives;

    private string Dir => _folder[$"life{_lives}"];

    public Task<IRequestStore> OpenAsync(IDecisionRule rule, TimeProvider time, int queue) =>
        Task.FromResult<IRequestStore>(Open(new RequestsOptions { Queue = queue }, rule, time, new Nobody()));

    internal SqliteRequestStore Open(RequestsOptions options, IDecisionRule rule, TimeProvider time, IStoreObserver observer)
    {
        var store = new SqliteRequestStore(options with { Dir = Dir, MinFreeBytes = 0 }, rule, observer, time, NullLogger.Instance);
        store.Start();
        return store;
    }

    public async Task KillAsync(IRequestStore store)
    {
        string before = Dir;
        _lives++;
        Directory.CreateDirectory(Dir);

        // Both are of one moment as long as SQLite does not copy its log into the database in between; these tests write too little for that.
        foreach (string file in new[] { Database.FileName + "-wal", Database.FileName })
        {
            if (File.Exists(Path.Combine(before, file)))
            {
                File.Copy(Path.Combine(before, file), Path.Combine(Dir, file));
            }
        }

        await store.DisposeAsync();
    }

    public ValueTask DisposeAsync()
    {
        _folder.Dispose();
        return ValueTask.CompletedTask;
    }
}
