// What an error of DynamoDB means: whether it passes, and whether the write may have been applied.
using System.Net;
using Amazon.DynamoDBv2.Model;
using Amazon.Runtime;

namespace Estat.Requests.Aws.Dynamo;

/// <summary>What is known after a failed attempt.</summary>
internal enum FailureKind
{
    /// <summary>Nothing was applied, as another write was under way. It passes.</summary>
    Conflict,

    /// <summary>Nothing was applied, as too much is asked for. It passes.</summary>
    Throttled,

    /// <summary>No answer, or one that leaves it open: it may have been applied.</summary>
    Lost,

    /// <summary>Nothing was applied, and trying again does not help: table, rights, credentials.</summary>
    Permanent,
}

/// <summary>A failed attempt.</summary>
/// <param name="Kind">What is known.</param>
/// <param name="Text">For the operator, with what to look at.</param>
internal readonly record struct DynamoFailure(FailureKind Kind, string Text)
{
    /// <summary>Reads an error.</summary>
    internal static DynamoFailure Of(Exception error) => error switch
    {
        TransactionConflictException or TransactionInProgressException => new(FailureKind.Conflict, "other writes to the same items were under way"),
        TransactionCanceledException cancelled => OfReasons(cancelled),
        ProvisionedThroughputExceededException or RequestLimitExceededException or ThrottlingException
            => new(FailureKind.Throttled, "it asks to slow down. Look at the table's capacity (docs/requests.md, \"What it costs\")"),
        ResourceNotFoundException
            => new(FailureKind.Permanent, "there is no such table. Make it: estat requests create-table, or deploy/aws. Check REQUESTS_TABLE"),
        AmazonServiceException { ErrorCode: "ThrottlingException" or "Throttling" } => new(FailureKind.Throttled, "it asks to slow down"),
        AmazonServiceException { StatusCode: HttpStatusCode.BadRequest or HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized } refused
            => new(FailureKind.Permanent, $"{refused.ErrorCode}: {refused.Message} Check the node's rights and credentials (docs/requests.md)"),
        AmazonServiceException answered => new(FailureKind.Lost, $"it answered {(int)answered.StatusCode}: {answered.Message}"),
        OperationCanceledException => new(FailureKind.Lost, "it does not answer. Check the network to DynamoDB (VPC endpoint)"),
        HttpRequestException or IOException => new(FailureKind.Lost, $"it cannot be reached: {error.Message}"),
        AmazonClientException { InnerException: HttpRequestException or IOException or OperationCanceledException }
            => new(FailureKind.Lost, $"it cannot be reached: {error.InnerException!.Message}"),
        AmazonClientException => new(FailureKind.Permanent, $"{error.Message} Check the node's credentials and AWS_REGION"),
        _ => new(FailureKind.Lost, $"its answer cannot be read: {error.Message}"),
    };

    private static DynamoFailure OfReasons(TransactionCanceledException cancelled)
    {
        HashSet<string> codes = [.. (cancelled.CancellationReasons ?? []).Select(reason => reason.Code ?? "None")];
        return codes.Contains("TransactionConflict") ? new(FailureKind.Conflict, "other writes to the same items were under way")
            : codes.Overlaps(["ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"])
                ? new(FailureKind.Throttled, "it asks to slow down")
            : new(FailureKind.Permanent, $"a transaction was refused: {cancelled.Message}");
    }
}
