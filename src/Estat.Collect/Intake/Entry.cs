// What the steps of an intake hand on to each other.
using Estat.Base.Access;
using Estat.Base.Acks;
using Estat.Http.Intake;
using Microsoft.Extensions.Primitives;

namespace Estat.Collect.Intake;

/// <summary>A request whose body may be read.</summary>
/// <param name="Sender">Whose key it showed; null without.</param>
/// <param name="Level">The ack level that it asks for.</param>
/// <param name="Page">Who may read the answer, where the key itself says so: it then goes before what the request began with.</param>
internal readonly record struct Entry(Sender? Sender, AckLevel Level, PageAnswer Page);

/// <summary>Events that a partition has, until their ack level is reached. Handed to <see cref="EventIntake.AnswerAsync"/>, once.</summary>
internal readonly struct Taken(ValueTask<Ack> accepting, Charge charge, AckLevel level, long started, IReadOnlyList<byte[]>? watched)
{
    internal ValueTask<Ack> Accepting { get; } = accepting;

    internal Charge Charge { get; } = charge;

    internal AckLevel Level { get; } = level;

    internal long Started { get; } = started;

    internal IReadOnlyList<byte[]>? Watched { get; } = watched;
}

/// <summary>What an answer says of events that were acknowledged.</summary>
/// <param name="Level"><c>X-Estat-Ack</c>: the level that was reached.</param>
/// <param name="Key"><c>X-Estat-Key</c>.</param>
/// <param name="IsLess">Whether that is less than was asked for: 202 instead of 200.</param>
internal readonly record struct Acknowledgement(StringValues Level, string Key, bool IsLess);
