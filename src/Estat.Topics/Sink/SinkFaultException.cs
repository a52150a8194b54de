namespace Estat.Topics.Sink;

/// <summary>The sink must not go on by itself: waiting does not help. The message says what the operator must do.</summary>
internal sealed class SinkFaultException(string message) : Exception(message);
