// What one retry can come to.
namespace Estat.Cli.Dlq;

/// <summary>Values of <see cref="DlqOutcome.Outcome"/>.</summary>
internal static class DlqOutcomes
{
    internal const string Stored = "stored";
    internal const string Quarantined = "quarantined";
    internal const string Failed = "failed";

    /// <summary>The node itself is trying it just now.</summary>
    internal const string Busy = "busy";

    /// <summary>It left the DLQ meanwhile.</summary>
    internal const string Gone = "gone";
}
