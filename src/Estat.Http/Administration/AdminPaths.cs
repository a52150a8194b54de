// The paths of docs/admin-api.md.
namespace Estat.Http.Administration;

/// <summary>Where the pages begin.</summary>
internal static class AdminPaths
{
    internal const string Capabilities = "/admin/capabilities";
    internal const string State = "/admin/state";
    internal const string Nodes = "/admin/nodes";
    internal const string Live = "/admin/live";
    internal const string Objects = "/admin/objects";
    internal const string Dlq = "/admin/dlq";
    internal const string Quarantine = "/admin/quarantine";
    internal const string Uploads = "/admin/uploads";
    internal const string Spools = "/admin/spools";
    internal const string Tail = "/tail";
}
