// Begin, who, may they: the first steps of every intake, the same for whatever a request brings.
using Estat.Base.Access;
using Estat.Http.Intake;
using Estat.Http.Metrics;

namespace Estat.Http.Access;

/// <summary>Stands before anything is read of a body, and again where it is known how many events there are. Any thread.</summary>
/// <param name="cors">Which pages may read the answers.</param>
/// <param name="access">Who may send, and how many; null: everybody, as many as they like.</param>
/// <param name="requests">Where requests are counted.</param>
internal sealed class RequestGate(Cors cors, WriteAccess? access, RequestCounters requests)
{
    /// <inheritdoc cref="WriteAccess.HasKeys"/>
    internal bool HasKeys => access is { HasKeys: true };

    /// <summary>Who may read the answer to a request, whatever it will be.</summary>
    internal PageAnswer PageOf<TRequest>(TRequest request)
        where TRequest : struct, IRequestView => cors.Of(request);

    /// <summary>Counts a request that begins. Whatever becomes of it, <see cref="End"/> follows.</summary>
    /// <returns>Its number on this core, for sampling.</returns>
    internal long Begin() => requests.Started.Increment();

    /// <summary>The request was answered, or its client is gone.</summary>
    internal void End() => requests.Ended.Increment();

    /// <inheritdoc cref="WriteAccess.RefuseUnread"/>
    internal Refusal? RefuseUnread<TRequest>(TRequest request, out Sender? sender, out PageAnswer page)
        where TRequest : struct, IRequestView
    {
        sender = null;
        page = default;
        return access?.RefuseUnread(request, out sender, out page);
    }

    /// <inheritdoc cref="WriteAccess.RefuseOver"/>
    internal Refusal? RefuseOver<TRequest>(TRequest request, Sender? sender, int events, out Charge charge)
        where TRequest : struct, IRequestView
    {
        charge = default;
        return access?.RefuseOver(request, sender, events, out charge);
    }
}
