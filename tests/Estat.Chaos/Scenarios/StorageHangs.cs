// S3 takes connections and never answers.

using Estat.Testing;

namespace Estat.Chaos.Scenarios;

internal sealed class StorageHangs : StorageFault
{
    internal override string Name => "s3-hangs";

    internal override string Summary => "connections to S3 are swallowed without an answer, all or some of them";

    protected override Fault Next(Random random) => random.Next(2) == 0 ? Fault.Hang : Fault.Hang.ForNext(random.Next(1, 8));
}
