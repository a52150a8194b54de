// What the observable instruments read.
using Estat.Collect.Conservation;
using Estat.Collect.Options;
using Estat.Http.Metrics;

namespace Estat.Collect.Metrics;

/// <summary>A node's state at this moment; each property is cheap and safe to read from any thread.</summary>
internal interface INodeReadings
{
    /// <summary>Counters of the HTTP path.</summary>
    RequestCounters Requests { get; }

    /// <summary>The conservation of events.</summary>
    Ledger Ledger { get; }

    /// <summary>Requests whose events were taken.</summary>
    long AcceptedRequests { get; }

    /// <summary>Memory of events that wait for their partition's writer, bytes.</summary>
    long BufferedBytes { get; }

    /// <summary>Payload files in the DLQ.</summary>
    long DlqFiles { get; }

    /// <summary>Their size, bytes.</summary>
    long DlqBytes { get; }

    /// <summary>Bytes of the spool's segments.</summary>
    long SpoolBytes { get; }

    /// <summary>Segments that wait in the spool without memory.</summary>
    int SpoolWaiting { get; }

    /// <summary>Copies of other silos' batches that are held.</summary>
    int ReplicasHeld { get; }

    /// <summary>Acknowledged events of which there is only one copy, and that are not stored yet.</summary>
    long UnderReplicated { get; }

    /// <summary>Bounds of the node, which alarms compare with.</summary>
    CollectOptions Bounds { get; }

    /// <summary>Bytes free on the spool's disk, as last measured.</summary>
    long SpoolDiskFree { get; }

    /// <summary>Bytes free on the DLQ's disk, as last measured.</summary>
    long DlqDiskFree { get; }

    /// <summary>Whether the spool's disk fails.</summary>
    bool SpoolFails { get; }

    /// <summary>The folders in which events are kept, and whether each was taken from under the node.</summary>
    IReadOnlyList<(string Name, bool IsGone)> FoldersGone { get; }

    /// <summary>Sealed batches that wait for an uploader.</summary>
    int UploadQueueDepth { get; }

    /// <summary>Age of the oldest batch that still takes events; zero when there is none.</summary>
    TimeSpan OldestUnflushed { get; }

    /// <summary>Whether the node takes events.</summary>
    bool IsReady { get; }

    /// <summary>Whether the last upload failed.</summary>
    bool StorageFails { get; }
}
