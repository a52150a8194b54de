// The topics that are there from the start.
namespace Estat.Topics.Messages;

/// <summary>Their names.</summary>
internal static class BuiltInTopic
{
    /// <summary>What users do; rows go to <c>user_activities</c> too.</summary>
    internal const string UserActivities = "user-activities";

    /// <summary>Measured values; rows go to <c>system_metrics</c> too.</summary>
    internal const string SystemMetrics = "system-metrics";

    /// <summary>Errors of services; rows go to <c>error_logs</c> too.</summary>
    internal const string ErrorLogs = "error-logs";

    /// <summary>Notifications.</summary>
    internal const string Notifications = "notifications";

    /// <summary>All of them.</summary>
    internal static IReadOnlyList<string> All { get; } = [UserActivities, SystemMetrics, ErrorLogs, Notifications];
}
