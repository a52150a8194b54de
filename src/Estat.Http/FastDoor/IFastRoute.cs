// What a capability does with requests of the fast door.
namespace Estat.Http.FastDoor;

/// <summary>One path whose POST requests the door takes. Any thread; nothing here waits.</summary>
internal interface IFastRoute
{
    /// <summary>The path, as it stands in the request line.</summary>
    string Path { get; }

    /// <summary>Whether this is a request for it. One that is not goes to Kestrel as it came, so nothing is counted or kept here.</summary>
    bool Takes(FastRequestView request);

    /// <summary>Takes a request with its whole body, and counts it. Both are read before this returns.</summary>
    /// <param name="request">The request.</param>
    /// <param name="body">Its body.</param>
    /// <param name="answer">The answer, when it is known now.</param>
    /// <returns>What will know the answer; null when it is known now.</returns>
    PendingAnswer? Take(FastRequestView request, ReadOnlySpan<byte> body, out DoorAnswer answer);
}
