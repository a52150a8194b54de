// What `make bench` runs beside the server: the floor that it is compared with, the cost of a recovery tick, and a gateway's cost per event.
using System.Globalization;
using Estat.Bench;

switch (args)
{
    case ["bare", string port]:
        await BareServer.RunAsync(int.Parse(port, CultureInfo.InvariantCulture));
        return 0;
    case ["recovery-tick"]:
        RecoveryTick.Run();
        return 0;
    case ["forwarding"]:
        await ForwardingCost.RunAsync();
        return 0;
    case ["lone", string url, string folder]:
        await LoneRequest.RunAsync(new Uri(url), folder);
        return 0;
    case ["bucket", string endpoint, string name]:
        await Bucket.CreateAsync(endpoint, name);
        return 0;
    default:
        Console.Error.WriteLine("usage: Estat.Bench bare PORT | recovery-tick | forwarding | lone URL FOLDER | bucket ENDPOINT NAME");
        return 2;
}
