// Nobody listens where S3 was.

using Estat.Testing;

namespace Estat.Chaos.Scenarios;

internal sealed class StorageDown : StorageFault
{
    internal override string Name => "s3-down";

    internal override string Summary => "connections to S3 are reset, or the gateway is stopped and started again";

    protected override Fault Next(Random random) => Fault.Refuse;

    internal override async Task InjectAsync(Round round, Random random)
    {
        // The gateway itself takes seconds to stop and to start.
        if (random.Next(5) > 0)
        {
            await base.InjectAsync(round, random);
            return;
        }

        await round.Rgw.StopGatewayAsync();
        await round.Rgw.StartGatewayAsync();
    }
}
