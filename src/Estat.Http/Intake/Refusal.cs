// Why a request is not taken, as a value: rules return it, and each door has one place that writes it.
using Estat.Base.Metrics;
using Estat.Http.Answering;
using Microsoft.Extensions.Primitives;

namespace Estat.Http.Intake;

/// <summary>An answer to a request that is not taken. The door that writes it counts it, once.</summary>
/// <param name="Problem">Status, body and headers.</param>
/// <param name="Counter">What counts it.</param>
/// <param name="RetryAfter">A <c>Retry-After</c> of this request's own, where the problem has none; no values without.</param>
internal sealed record Refusal(Problem Problem, StripedCounter Counter, StringValues RetryAfter = default);
