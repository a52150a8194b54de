// What a partition answers to an append.
using Estat.Base.Acks;

namespace Estat.Collect.Batching;

/// <summary>How a partition took a request's events.</summary>
/// <param name="Admission">Taken or why not.</param>
/// <param name="Ack">What the request awaits when they were taken.</param>
/// <param name="Batch">Their batch, or the last of several.</param>
internal readonly record struct Appended(Admission Admission, ValueTask<Ack> Ack = default, OpenBatch? Batch = null);
