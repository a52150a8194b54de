namespace Estat.Topics.Http;

/// <summary>An order of the operator that is not carried out: nothing was changed.</summary>
/// <param name="status">The answer's HTTP status.</param>
/// <param name="message">Why, and what to do; whole sentences.</param>
internal sealed class OrderRefusedException(int status, string message) : Exception(message)
{
    /// <summary>The answer's HTTP status.</summary>
    internal int Status => status;
}
