// The standalone server's command line.
using Estat.Api.Hosting;
using Estat.Core.Options;

var program = new NodeProgram(
    "Estat.Api.dll", "Takes events over HTTP and lays them in S3 (or a folder) as gzip JSONL.", OptionTable.All, OptionTable.Bind);
return await program.RunAsync(args, async (options, isTerminal) =>
{
    await using var server = new StandaloneServer(options, TimeProvider.System, isTerminal);
    await server.StartAsync().ConfigureAwait(false);
    return await server.RunAsync().ConfigureAwait(false);
}).ConfigureAwait(false);
