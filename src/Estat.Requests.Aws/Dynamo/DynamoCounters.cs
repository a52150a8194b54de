// What came of attempts at DynamoDB.
namespace Estat.Requests.Aws.Dynamo;

/// <summary>Any thread.</summary>
internal sealed class DynamoCounters
{
    private readonly long[] _failed = new long[Enum.GetValues<FailureKind>().Length];
    private long _answered;
    private long _lastAnswer = TimeProvider.System.GetTimestamp();

    /// <summary>Attempts that DynamoDB answered.</summary>
    internal long Answered => Volatile.Read(ref _answered);

    /// <summary>Time since the last answer that was none of the failures.</summary>
    internal TimeSpan SinceAnswer => TimeProvider.System.GetElapsedTime(Volatile.Read(ref _lastAnswer));

    /// <summary>Attempts that failed in a way.</summary>
    internal long Of(FailureKind kind) => Volatile.Read(ref _failed[(int)kind]);

    /// <summary>An answer came.</summary>
    internal void Seen()
    {
        Interlocked.Increment(ref _answered);
        Volatile.Write(ref _lastAnswer, TimeProvider.System.GetTimestamp());
    }

    /// <summary>An attempt failed.</summary>
    internal void Failed(FailureKind kind) => Interlocked.Increment(ref _failed[(int)kind]);
}
