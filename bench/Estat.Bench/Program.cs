// What `make bench` runs: the suite, the servers that it compares with, and measurements of single things.
using System.Globalization;
using Estat.Bench.Baseline;
using Estat.Bench.Forwarding;
using Estat.Bench.Growth;
using Estat.Bench.Recovery;
using Estat.Bench.Suite;

try
{
    switch (args)
    {
        case ["suite", .. string[] options]:
            return await SuiteRun.RunAsync(SuiteOptions.Parse(options));
        case ["growth", string along, .. string[] options]:
            return await SuiteRun.RunAsync(SuiteOptions.Parse(options), [GrowthParts.Named(along)]);
        case ["bare", string port, string sockets]:
            await BareServer.RunAsync(int.Parse(port, CultureInfo.InvariantCulture), SocketModes.Parse(sockets));
            return 0;
        case ["ceiling", string port]:
            CeilingServer.Run(int.Parse(port, CultureInfo.InvariantCulture));
            return 0;
        case ["backlog", string gigabytes, string outage, .. string[] options]:
            return await SuiteRun.RunAsync(
                SuiteOptions.Parse(options),
                [
                    new RecoveryPart(
                        "backlog", double.Parse(gigabytes, CultureInfo.InvariantCulture), [Outages.Parse(outage)], withLatencies: true),
                ]);
        case ["forwarding"]:
            await ForwardingCost.RunAsync();
            return 0;
    }
}
catch (FormatException error)
{
    Console.Error.WriteLine(error.Message);
}

Console.Error.WriteLine(
    $"""
    usage: Estat.Bench suite [--rounds 5] [--seconds 5] [--only {SuiteRun.Names}] [--against DLL] [--json FILE] [--svg FILE]
           Estat.Bench growth {GrowthParts.Names} [--rounds 5] [--seconds 5] [--minutes 20] [--sockets inline|pool]
           Estat.Bench backlog GIGABYTES hung|stopped [--json FILE]
           Estat.Bench bare PORT inline|pool
           Estat.Bench ceiling PORT
           Estat.Bench forwarding
    """);
return 2;
