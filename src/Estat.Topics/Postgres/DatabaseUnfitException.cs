namespace Estat.Topics.Postgres;

/// <summary>
/// The database is there, but cannot be used as it is. The message says what the operator must do; the sink tries again meanwhile, as for an outage,
/// so that no restart is needed afterwards.
/// </summary>
internal sealed class DatabaseUnfitException(string message) : Exception(message);
