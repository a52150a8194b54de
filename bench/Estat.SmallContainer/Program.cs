// The load of bench/small-container.sh: a constant rate, each answer's time counted from when its event was due, and an account of every event at the
// end.
//
//   Estat.SmallContainer bucket S3_ENDPOINT BUCKET
//   Estat.SmallContainer load SERVER RATE SECONDS [S3_ENDPOINT BUCKET]      without a bucket nothing is looked for at the end
using System.Globalization;
using Estat.SmallContainer;

switch (args)
{
    case ["bucket", var endpoint, var bucket]:
        await Stored.CreateBucketAsync(endpoint, bucket);
        return 0;
    case ["load", var server, var rate, var seconds, .. var stored] when stored.Length is 0 or 2:
        var load = new ConstantLoad(new Uri(server), int.Parse(rate, CultureInfo.InvariantCulture));
        var report = await load.SendAsync(int.Parse(seconds, CultureInfo.InvariantCulture));
        return stored is [var at, var within] ? await load.AuditAsync(report, at, within) : 0;
    default:
        Console.Error.WriteLine("usage: bucket S3_ENDPOINT BUCKET | load SERVER RATE SECONDS [S3_ENDPOINT BUCKET]");
        return 2;
}
