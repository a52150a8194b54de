// What a gateway sends to a silo, and what comes back. Levels and admissions cross by name, so that nodes of two versions understand each other.

namespace Estat.Grains.Batching;

/// <summary>Events of one level, all taken or none.</summary>
/// <param name="Number">Different for each packet that was ever sent; a repeat gets the first one's answer.</param>
/// <param name="Instance">The instance of the silo that it is meant for; another one takes nothing.</param>
/// <param name="Level">The ack level's name.</param>
/// <param name="Events">Lines.</param>
/// <param name="Lines">Whole JSONL lines, each ended by a line feed: one flat buffer, which nobody changes after.</param>
/// <param name="Traces">Traced requests that brought them, as W3C's <c>traceparent</c>; null when there are none. A silo of a version that does not
/// know them links to nothing.</param>
[GenerateSerializer, Immutable, Alias("estat.packet")]
public sealed record WirePacket(
    [property: Id(0)] Guid Number, [property: Id(1)] string Instance, [property: Id(2)] string Level, [property: Id(3)] int Events,
    [property: Id(4)] ReadOnlyMemory<byte> Lines, [property: Id(5)] string[]? Traces);

/// <summary>
/// Events that go below a prefix of their own. A message apart from <see cref="WirePacket"/>: a silo of a version that knows no prefixes would ignore
/// a field, and lay them elsewhere; a method that it does not have fails.
/// </summary>
/// <param name="Prefix">The key prefix of their objects.</param>
/// <param name="Packet">The events.</param>
[GenerateSerializer, Immutable, Alias("estat.prefixed-packet")]
public sealed record WirePrefixedPacket([property: Id(0)] string Prefix, [property: Id(1)] WirePacket Packet);

/// <summary>What became of a packet.</summary>
/// <param name="Admission">The admission's name.</param>
/// <param name="Level">The name of the ack level that was reached.</param>
/// <param name="Key">The key of the batch's object; empty when refused.</param>
[GenerateSerializer, Immutable, Alias("estat.ack")]
public sealed record WireAck([property: Id(0)] string Admission, [property: Id(1)] string Level, [property: Id(2)] string Key);

/// <summary>A silo as a gateway has to know it.</summary>
/// <param name="Instance">The instance that packets must name.</param>
/// <param name="Outlook">The name of what a packet of its default level would be answered now.</param>
/// <param name="Levels">The names of the ack levels that it offers; null from one of an earlier version.</param>
[GenerateSerializer, Immutable, Alias("estat.greeting")]
public sealed record WireGreeting([property: Id(0)] string Instance, [property: Id(1)] string Outlook, [property: Id(2)] string[]? Levels);
