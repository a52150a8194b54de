// A batch between its first event and its seal.
using System.Diagnostics;
using Estat.Base.Metrics;
using Estat.Collect.Spooling;

namespace Estat.Collect.Batching;

/// <summary>Identity and size of a batch that still takes events. Owned by one partition; changed only under that partition's lock, but for what says
/// otherwise.</summary>
/// <param name="key">The object's key.</param>
/// <param name="opened">When the first event came, UTC.</param>
/// <param name="isAwaited">Whether requests wait for it to be stored.</param>
internal sealed class OpenBatch(string key, DateTimeOffset opened, bool isAwaited)
{
    /// <summary>The object's key; fixed from here on.</summary>
    internal string Key { get; } = key;

    /// <summary>When the first event came, UTC.</summary>
    internal DateTimeOffset Opened { get; } = opened;

    internal long Events { get; set; }

    /// <summary>Uncompressed bytes.</summary>
    internal long Bytes { get; set; }

    /// <summary>Its place in the spool, from its first sync on; null in a partition without one. Set by the partition's spool writer, then the batch
    /// writer's.</summary>
    internal Segment? Segment { get; set; }

    /// <summary>Whether the disk failed it: it takes nothing more. The spool writer's own.</summary>
    internal bool IsSpoiled { get; set; }

    /// <summary>Traced requests that brought events of it, <see cref="EstatActivities.MostLinks"/> at most; null when there are none.</summary>
    internal List<ActivityContext>? Requests { get; private set; }

    /// <summary>Whether it is in the store: true, or false as soon as it is known that it will not be there soon. Null when nobody asks.</summary>
    internal TaskCompletionSource<bool>? Outcome { get; } = isAwaited ? new(TaskCreationOptions.RunContinuationsAsynchronously) : null;

    /// <summary>Notes the request that is being handled, if it is a traced one.</summary>
    internal void NoteRequest()
    {
        if (EstatActivities.CurrentRequest is { } request)
        {
            Note(request);
        }
    }

    /// <summary>Notes a traced request.</summary>
    internal void Note(ActivityContext request)
    {
        if ((Requests ??= []).Count < EstatActivities.MostLinks)
        {
            Requests.Add(request);
        }
    }
}
