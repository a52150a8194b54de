// The options of Requests.
using System.Net;

namespace Estat.Requests.Options;

/// <summary>Where campaigns and requests are kept.</summary>
public enum StoreKind
{
    /// <summary>A SQLite database in a folder: one node.</summary>
    Sqlite,

    /// <summary>A DynamoDB table: any number of nodes.</summary>
    DynamoDb,
}

/// <summary>Units and bounds stand in the option table.</summary>
public sealed record RequestsOptions
{
    /// <summary>Where campaigns and requests are kept.</summary>
    public StoreKind Store { get; init; } = StoreKind.Sqlite;

    /// <summary>DynamoDB's table.</summary>
    public string Table { get; init; } = "estat-requests";

    /// <summary>URL of a DynamoDB emulator; null is AWS.</summary>
    public Uri? DynamoDbEndpoint { get; init; }

    /// <summary>SQS queue that FAILED_FINAL requests are copied to; null: none.</summary>
    public Uri? DeadLetterQueue { get; init; }

    /// <summary>URL of an SQS emulator; null is AWS.</summary>
    public Uri? SqsEndpoint { get; init; }

    /// <summary>How long a sequence that was given may stand for nobody before the decider gives it up.</summary>
    public TimeSpan SealAfter { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a campaign's decider may be silent before another node takes over.</summary>
    public TimeSpan DeciderLease { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Folder of the database. One process owns it.</summary>
    public string Dir { get; init; } = "./var/requests";

    /// <summary>Largest body of a request, bytes.</summary>
    public int MaxBodySize { get; init; } = 64 * 1024;

    /// <summary>Failed attempts after which a request is FAILED_FINAL.</summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>Requests that may wait for a commit; one campaign may hold half of them.</summary>
    public int Queue { get; init; } = 20_000;

    /// <summary>Bytes of the bodies of those that wait for a commit; one campaign may hold half of them.</summary>
    public long QueueBytes { get; init; } = 64L << 20;

    /// <summary>HTTP requests that may wait for a decision.</summary>
    public int MaxWaiters { get; init; } = 10_000;

    /// <summary>Requests whose state is kept in memory for questions.</summary>
    public int Cache { get; init; } = 100_000;

    /// <summary>Header that names the user; null: a token does.</summary>
    public string? UserHeader { get; init; }

    /// <summary>Requests a second that one user may send.</summary>
    public double UserRate { get; init; } = 5;

    /// <summary>How long an attempt of the webhook may take; a call gets less than half.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Calls of webhooks at once, over all campaigns; one campaign may hold half of them.</summary>
    public int WebhookCalls { get; init; } = 256;

    /// <summary>Networks that are not public, and that webhooks may call all the same, over http too.</summary>
    public IReadOnlyList<IPNetwork> WebhookNetworks { get; init; } = [];

    /// <summary>How often outcomes go to the lake at least, while there are any.</summary>
    public TimeSpan OutcomeInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Outcomes in one object at most.</summary>
    public int OutcomeBatch { get; init; } = 20_000;

    /// <summary>How long bodies are kept after the final state.</summary>
    public TimeSpan BodyRetention { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Free space below which nothing is accepted, bytes.</summary>
    public long MinFreeBytes { get; init; } = 256L << 20;
}
