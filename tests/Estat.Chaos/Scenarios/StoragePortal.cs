// Something else answers in S3's place, and says yes to everything.

using Estat.Testing;

namespace Estat.Chaos.Scenarios;

internal sealed class StoragePortal : StorageFault
{
    internal override string Name => "s3-portal";

    internal override string Summary => "whatever is asked of S3 is answered 200 with a page of HTML, as by a login page on the way";

    protected override Fault Next(Random random) => random.Next(2) == 0 ? Fault.Portal : Fault.Portal.ForNext(random.Next(1, 8));
}
