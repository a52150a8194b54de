// One try of the webhook at a request.
using Estat.Requests.Campaigns;

namespace Estat.Requests.Storing;

/// <summary>Begun durably before the endpoint is called.</summary>
/// <param name="Request">As the attempt found it; its fence is the attempt's.</param>
/// <param name="Body">As it was sent; empty without.</param>
internal sealed record Attempt(RequestRecord Request, ReadOnlyMemory<byte> Body)
{
    /// <summary>Its number in this generation, from 1.</summary>
    internal int Number => Request.Attempts + 1;
}

