namespace Estat.Topics.Sink;

/// <summary>
/// The database refuses every row, with one and the same error: that is a rule of the operator's, not the messages' fault. It is waited for, as for
/// an outage.
/// </summary>
internal sealed class AllRefusedException(string message) : Exception(message);
