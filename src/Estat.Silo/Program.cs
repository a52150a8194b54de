// The command line of a cluster's node: a silo, a gateway, or both in one.
using Estat.Api.Options;
using Estat.Http.Options;
using Estat.Node.Running;
using Estat.Silo.Hosting;

var program = new NodeProgram<EstatOptions>(
    "dotnet Estat.Silo.dll", "Takes events over HTTP and stores them in S3 (or a folder) as gzip JSONL, as one node of a cluster.",
    OptionTable.OfCluster,
    OptionTable.BindCluster,
    options => (options.Http, options.Node));
return await program.RunAsync(args, (options, isTerminal, limit) => options.Cluster.Role == NodeRole.Gateway
    ? new GatewayServer(options, TimeProvider.System, isTerminal, limit)
    : new SiloServer(options, TimeProvider.System, isTerminal, limit)).ConfigureAwait(false);
