// The headers by which requests and answers speak of ack levels.
namespace Estat.Base.Acks;

/// <summary>Their names.</summary>
internal static class AckHeaders
{
    /// <summary>The ack level that was reached, or that a request asks for.</summary>
    internal const string Ack = "X-Estat-Ack";

    /// <summary>The object that the events will be, or are, in.</summary>
    internal const string Key = "X-Estat-Key";
}
