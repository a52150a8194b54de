// S3 answers, and refuses.

namespace Estat.Chaos.Scenarios;

internal sealed class StorageForbidden : Scenario
{
    internal override string Name => "s3-forbidden";

    internal override string Summary => "the user is suspended: S3 answers 403";

    internal override Target Target => Target.Storage;

    internal override async Task InjectAsync(Round round, Random random)
    {
        try
        {
            await round.Rgw.SuspendUserAsync();
            await Round.ForAsync(random, 50, 700);
        }
        finally
        {
            await round.Rgw.EnableUserAsync();
        }
    }
}
