// S3 at a few kilobytes per second: uploads run into their timeout, some of them after they were done.

using Estat.Testing;

namespace Estat.Chaos.Scenarios;

internal sealed class StorageSlow : StorageFault
{
    internal override string Name => "s3-slow";

    internal override string Summary => "connections to S3 carry 2 to 100 KB per second";

    protected override Fault Next(Random random) => Fault.Slow(random.Next(2_000, 100_000));
}
