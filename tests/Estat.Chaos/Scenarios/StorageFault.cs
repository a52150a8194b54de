// S3 by way of a proxy that does something to connections for a while.

using Estat.Testing;

namespace Estat.Chaos.Scenarios;

internal abstract class StorageFault : Scenario
{
    private const int LongestMs = 1_500;

    internal override Target Target => Target.Storage;

    protected abstract Fault Next(Random random);

    internal override async Task InjectAsync(Round round, Random random)
    {
        round.Proxy.Fault = Next(random);
        try
        {
            await Round.ForAsync(random, 100, LongestMs);
        }
        finally
        {
            round.Proxy.Fault = Fault.None;
        }
    }
}
