// A clock that a test sets, for a server whose timers go on by themselves.
using Estat.Testing;

namespace Estat.Api.Tests.Access;

/// <summary>Time of day and timestamps stand still until <see cref="Advance"/>; timers take real time, so that a server over it starts and drains as
/// ever.</summary>
internal sealed class SteppedClock(DateTimeOffset start) : TimeProvider
{
    private readonly ManualTimeProvider _manual = new(start);

    internal DateTimeOffset UtcNow
    {
        set => _manual.UtcNow = value;
    }

    public override long TimestampFrequency => _manual.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => _manual.GetUtcNow();

    public override long GetTimestamp() => _manual.GetTimestamp();

    internal void Advance(TimeSpan by) => _manual.Advance(by);
}
