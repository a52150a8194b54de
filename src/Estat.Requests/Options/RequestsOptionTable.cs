// The rows of the options of Requests.
using Estat.Base.Options;
using Estat.Http.Access;
using Estat.Http.Options;
using Option = Estat.Base.Options.OptionSpec<Estat.Requests.Options.RequestsOptions>;

namespace Estat.Requests.Options;

/// <summary>The table of <see cref="RequestsOptions"/>.</summary>
internal static class RequestsOptionTable
{
    private const int LargestInDynamo = 256 * 1024;
    private const string Networks = "addresses or networks with commas between them, such as 10.0.0.0/8";
    private static readonly RequestsOptions Default = new();

    /// <summary>In the order in which help and README list them.</summary>
    internal static IReadOnlyList<Option> All { get; } =
    [
        Option.OneOf("REQUESTS_STORE", "sqlite", [("sqlite", StoreKind.Sqlite), ("dynamodb", StoreKind.DynamoDb)],
            "Where requests are kept: sqlite: in REQUESTS_DIR, by one node. dynamodb: in REQUESTS_TABLE, by any number of nodes.",
            (o, v) => o with { Store = v }),
        Option.Text("REQUESTS_DIR", Default.Dir, "a folder's path", "Folder of the requests' database. One process owns it.", OptionTexts.IsPath,
            (o, v) => o with { Dir = v }),
        Option.Text("REQUESTS_TABLE", Default.Table, "3 to 255 letters, digits and . - _",
            "DynamoDB table of requests, in AWS_REGION. `estat requests create-table` makes it; so does deploy/aws.", IsTable,
            (o, v) => o with { Table = v }),
        Option.Url("REQUESTS_DYNAMODB_ENDPOINT", "URL of a DynamoDB emulator. Without it: AWS in AWS_REGION.",
            (o, v) => o with { DynamoDbEndpoint = v }),
        Option.Duration("REQUESTS_SEAL_AFTER", Default.SealAfter, "100ms", "1m",
            "With DynamoDB: how long a sequence that no request was stored under holds up those behind it.", (o, v) => o with { SealAfter = v }),
        Option.Duration("REQUESTS_DECIDER_LEASE", Default.DeciderLease, "200ms", "10m",
            "With DynamoDB: how long the node that decides a campaign may be silent before another one takes over.",
            (o, v) => o with { DeciderLease = v }),
        Option.Url("REQUESTS_DLQ_URL", "With DynamoDB: SQS queue that gets a message for each request that is FAILED_FINAL. Without it: none.",
            (o, v) => o with { DeadLetterQueue = v }),
        Option.Url("REQUESTS_SQS_ENDPOINT", "URL of an SQS emulator. Without it: AWS in AWS_REGION.", (o, v) => o with { SqsEndpoint = v }),
        Option.Text("REQUESTS_USER_HEADER", "", "a header's name",
            "Header that names the user, such as X-User-Id. Needs TRUSTED_PROXIES to be set, unless the node listens on loopback alone. With "
            + "JWT_ISSUER it is ignored.",
            IsHeaderName, (o, v) => o with { UserHeader = v }),
        Option.Number("REQUESTS_MAX_BODY_SIZE", Default.MaxBodySize, 0, 1 << 20, "Largest body of a request, bytes.",
            (o, v) => o with { MaxBodySize = (int)v }),
        Option.Number("REQUESTS_MAX_ATTEMPTS", Default.MaxAttempts, 1, 100, "Failed attempts after which a request is FAILED_FINAL.",
            (o, v) => o with { MaxAttempts = (int)v }),
        Option.Number("REQUESTS_QUEUE", Default.Queue, 2, 1_000_000,
            "Requests that may wait to be written. One campaign may hold half of them. Above it, new requests get 503.",
            (o, v) => o with { Queue = (int)v }),
        Option.Number("REQUESTS_QUEUE_BYTES", Default.QueueBytes, 1 << 20, 64L << 30,
            "Bytes of the bodies of requests that wait to be written. One campaign may hold half of them. Above it, new requests get 503.",
            (o, v) => o with { QueueBytes = v }),
        Option.Number("REQUESTS_MAX_WAITERS", Default.MaxWaiters, 0, 1_000_000,
            "HTTP requests that may wait for a decision (Prefer: wait=N). Above it, they are answered at once.",
            (o, v) => o with { MaxWaiters = (int)v }),
        Option.Number("REQUESTS_CACHE", Default.Cache, 2, 100_000_000, "Requests whose state is kept in memory, for users who ask again.",
            (o, v) => o with { Cache = (int)v }),
        Option.Fraction("REQUESTS_USER_RATE", "5", 0.01, 1_000_000, "New requests a second from one user. Above it, they get 429.",
            (o, v) => o with { UserRate = v }),
        Option.Duration(
            "REQUESTS_LEASE", Default.Lease, "1s", "1h", "Time of one attempt of a webhook. A call may take a little less than half of it.",
            (o, v) => o with { Lease = v }),
        Option.Number("REQUESTS_WEBHOOK_CALLS", Default.WebhookCalls, 2, 10_000,
            "Calls of webhooks at once, over all campaigns. One campaign may hold half of them.", (o, v) => o with { WebhookCalls = (int)v }),
        new Option("REQUESTS_WEBHOOK_NETWORKS", "", Networks,
            "Networks that webhooks may call, over http too, although they are not public. Else: https and public addresses only.", BindNetworks),
        Option.Duration("REQUESTS_OUTCOME_INTERVAL", Default.OutcomeInterval, "100ms", "24h", "Outcomes go to the lake at least this often.",
            (o, v) => o with { OutcomeInterval = v }),
        Option.Number("REQUESTS_OUTCOME_BATCH", Default.OutcomeBatch, 1, 1_000_000, "Most outcomes in one object.",
            (o, v) => o with { OutcomeBatch = (int)v }),
        Option.Number("REQUESTS_MIN_FREE_BYTES", Default.MinFreeBytes, 0, long.MaxValue,
            "While the disk of REQUESTS_DIR has less free, new requests get 503.", (o, v) => o with { MinFreeBytes = v }),
        Option.Duration("REQUESTS_BODY_RETENTION", Default.BodyRetention, "1h", "87600h",
            "How long a request's body is kept after it has succeeded or was rejected.", (o, v) => o with { BodyRetention = v }),
    ];

    /// <summary>Checks what holds between options: nobody may say in a header who they are. With tokens, the header is ignored. What a body may have
    /// depends on the store.</summary>
    internal static void CheckTogether(RequestsOptions options, HttpOptions http, TokenOptions tokens)
    {
        if (options.Store == StoreKind.DynamoDb && options.MaxBodySize > LargestInDynamo)
        {
            throw OptionTexts.Wrong(
                "REQUESTS_MAX_BODY_SIZE", options.MaxBodySize.ToString(System.Globalization.CultureInfo.InvariantCulture),
                $"at most {LargestInDynamo} with REQUESTS_STORE=dynamodb, whose items have 400 KB");
        }

        if (tokens.AreConfigured)
        {
            return;
        }

        bool isLoopback = ListenAddress.TryParse(http.HttpAddr, out ListenAddress address) && address.IsLoopback;
        bool areProxiesNamed = !ReferenceEquals(http.TrustedProxies, HttpOptions.DefaultTrustedProxies) && http.TrustedProxies.Count > 0;
        if (options.UserHeader is { } header && !isLoopback && !areProxiesNamed)
        {
            throw OptionTexts.Wrong(
                "REQUESTS_USER_HEADER", header, "set together with TRUSTED_PROXIES, which names the proxies that write this header");
        }

        if (options.UserHeader is null && !isLoopback)
        {
            throw new OptionException(
                "SERVE=requests needs to know who sends a request: set JWT_ISSUER and JWT_AUDIENCE, or REQUESTS_USER_HEADER with TRUSTED_PROXIES, or "
                + "listen on loopback (HTTP_ADDR).");
        }
    }

    private static RequestsOptions BindNetworks(RequestsOptions options, string text) => options with
    {
        WebhookNetworks = [.. text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(item => OptionTexts.ParseNetwork(item) ?? throw OptionTexts.Wrong("REQUESTS_WEBHOOK_NETWORKS", text, Networks))],
    };

    private static bool IsTable(string text) =>
        text.Length is >= 3 and <= 255 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '.' or '-' or '_');

    private static bool IsHeaderName(string text) =>
        text.Length is > 0 and <= 64 && text.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_');
}
