// The wall clock is set, forwards and backwards, as by an operator, NTP or a resumed virtual machine.

using Estat.Testing;

namespace Estat.Chaos.Scenarios;

internal sealed class ClockJumps : Scenario
{
    // Keys are made of hours and seconds, S3 refuses signatures that are 15 minutes off, DLQ files are due in seconds.
    private static readonly TimeSpan[] Jumps =
    [
        TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(-1), TimeSpan.FromSeconds(-3), TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(-10),
        TimeSpan.FromHours(1), TimeSpan.FromHours(-1), TimeSpan.FromDays(1), TimeSpan.FromDays(-1), TimeSpan.FromDays(400),
    ];

    internal override string Name => "clock";

    internal override string Summary => "the server's wall clock jumps by a second up to 400 days, forwards and backwards (libfaketime)";

    internal override Target Target => Target.Clock;

    internal override string? Missing(IReadOnlyList<string> offeredLevels) => FakeClock.Available(out var reason) ? null : reason;

    internal override void Prepare(Round round, Random random)
    {
        round.Clock = round.Own(new FakeClock());
        foreach (var (name, value) in round.Clock.Environment)
        {
            round.Options[name] = value;
        }
    }

    internal override async Task InjectAsync(Round round, Random random)
    {
        try
        {
            round.Clock!.Set(Jumps[random.Next(Jumps.Length)]);
            await Round.ForAsync(random, 100, 700);
        }
        finally
        {
            round.Clock!.Set(TimeSpan.Zero);
        }
    }
}
