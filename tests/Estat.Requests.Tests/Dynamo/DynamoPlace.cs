// A table for the store. To lose a process, its store is left without a word: what it had sent is in the table.
using Estat.Requests.Aws.Dynamo;
using Estat.Requests.Aws.Hosting;
using Estat.Requests.Deciding;
using Estat.Requests.Options;
using Estat.Requests.Tests.Sqlite;
using Estat.Requests.Tests.Storing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Requests.Tests.Dynamo;

internal sealed class DynamoPlace(DynamoDbEmulator emulator, int mostAttempts = 5) : IStorePlace
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>REQUESTS_DLQ_URL.</summary>
    internal Uri? Queue { get; init; }

    /// <summary>REQUESTS_SQS_ENDPOINT.</summary>
    internal Uri? SqsEndpoint { get; init; }

    internal RequestsOptions Options => _options with { DeadLetterQueue = Queue, SqsEndpoint = SqsEndpoint };

    private readonly RequestsOptions _options = new()
    {
        Store = StoreKind.DynamoDb,
        Table = $"requests-{Guid.NewGuid():N}",
        DynamoDbEndpoint = new Uri(emulator.Endpoint),
        MaxAttempts = mostAttempts,
        DeciderLease = TimeSpan.FromMilliseconds(500),
        SealAfter = TimeSpan.FromMilliseconds(300),
    };

    public async Task<IRequestStore> OpenAsync(IDecisionRule rule, TimeProvider time, int queue)
    {
        await TableSchema.MakeAsync(Options, "eu-central-1", CancellationToken.None);
        DynamoRequestStore store = Open(rule, time, queue);
        await Wait.UntilAsync(
            () => store.Fault is null && store.Deciding == store.Campaigns.Count, Patience, "the store to decide all campaigns",
            () => $"{store.Fault}, {store.Deciding} of {store.Campaigns.Count}");
        return store;
    }

    internal DynamoRequestStore Open(IDecisionRule rule, TimeProvider time, int queue = 20_000, IStoreObserver? observer = null)
    {
        var store = new DynamoRequestStore(
            Options with { Queue = queue }, "eu-central-1", rule, observer ?? new Nobody(), time, NullLogger.Instance);
        store.Start();
        return store;
    }

    public async Task KillAsync(IRequestStore store) => await ((DynamoRequestStore)store).AbandonAsync();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
