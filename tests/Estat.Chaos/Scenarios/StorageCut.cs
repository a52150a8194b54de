// Connections end in the middle of an upload.

using Estat.Testing;

namespace Estat.Chaos.Scenarios;

internal sealed class StorageCut : StorageFault
{
    internal override string Name => "s3-cut";

    internal override string Summary => "connections to S3 are reset after up to 20 KB of upload, all or some of them";

    protected override Fault Next(Random random)
    {
        var fault = Fault.CutUploadAfter(random.Next(1, 20_000));
        return random.Next(2) == 0 ? fault : fault.ForNext(random.Next(1, 8));
    }
}
