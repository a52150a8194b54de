// A silo's way in for gateways.
namespace Estat.Grains.Batching;

/// <summary>
/// Key: the partition, so that several packets are read at once. A stateless worker: it runs on the silo whose client endpoint the call came to, and
/// every silo has its own.
/// </summary>
[Alias("estat.IBatchGrain")]
public interface IBatchGrain : IGrainWithIntegerKey
{
    /// <summary>Who takes the packets here, and whether it does now.</summary>
    [Alias("greet")]
    Task<WireGreeting> GreetAsync();

    /// <summary>Takes a packet of any level but <c>stored</c>. The caller's response timeout is SILO_TIMEOUT (its client's setting).</summary>
    [Alias("append")]
    Task<WireAck> AppendAsync(WirePacket packet);

    /// <summary>Takes a packet at <c>stored</c>, which may take as long as two uploads. The timeout is an upper bound: STORED_MAX_WAIT is 1m at
    /// most.</summary>
    [Alias("append-stored"), ResponseTimeout("00:03:00")]
    Task<WireAck> AppendStoredAsync(WirePacket packet);

    /// <summary><see cref="AppendAsync"/> for events below a prefix of their own.</summary>
    [Alias("append-below")]
    Task<WireAck> AppendBelowAsync(WirePrefixedPacket prefixed);

    /// <summary><see cref="AppendStoredAsync"/> for events below a prefix of their own.</summary>
    [Alias("append-below-stored"), ResponseTimeout("00:03:00")]
    Task<WireAck> AppendBelowStoredAsync(WirePrefixedPacket prefixed);
}
