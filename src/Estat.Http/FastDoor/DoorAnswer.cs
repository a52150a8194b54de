// What an answer at the fast door says.
using Estat.Http.Answering;
using Estat.Http.Intake;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.FastDoor;

/// <summary>An acknowledgement without a body, or a problem. The default is neither.</summary>
internal readonly struct DoorAnswer
{
    private DoorAnswer(Problem? problem, StringValues retryAfter, PageAnswer page, string level, string key, bool isLess)
    {
        Problem = problem;
        RetryAfter = retryAfter;
        Page = page;
        Level = level;
        Key = key;
        IsLess = isLess;
    }

    /// <summary>Why the request was not taken; null when it was.</summary>
    internal Problem? Problem { get; }

    /// <summary>The problem's <c>Retry-After</c>; no values without.</summary>
    internal StringValues RetryAfter { get; }

    /// <summary>Which page may read the answer.</summary>
    internal PageAnswer Page { get; }

    /// <summary><c>X-Estat-Ack</c>.</summary>
    internal string Level { get; }

    /// <summary><c>X-Estat-Key</c>.</summary>
    internal string Key { get; }

    /// <summary>Whether less was reached than was asked for: 202 instead of 200.</summary>
    internal bool IsLess { get; }

    /// <summary>HTTP status.</summary>
    internal int Status => Problem?.Status ?? (IsLess ? StatusCodes.Status202Accepted : StatusCodes.Status200OK);

    /// <summary>Whether the connection ends with it.</summary>
    internal bool Closes => Problem is { Closes: true };

    /// <summary>An acknowledgement.</summary>
    internal static DoorAnswer Acknowledged(string level, string key, bool isLess, PageAnswer page) => new(null, default, page, level, key, isLess);

    /// <summary>A refusal, which is counted here.</summary>
    internal static DoorAnswer Refused(Refusal refusal, PageAnswer page)
    {
        refusal.Counter.Increment();
        return new DoorAnswer(
            refusal.Problem, refusal.RetryAfter.Count > 0 ? refusal.RetryAfter : refusal.Problem.RetryAfter, page, "", "", isLess: false);
    }

    /// <summary>A fault of the node's own.</summary>
    internal static DoorAnswer Failed(PageAnswer page) => new(Problem.OurFault, default, page, "", "", isLess: false);
}
