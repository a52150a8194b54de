// The standalone server's command line.
using Estat.Api.Hosting;

return await NodeProgram.Standalone("dotnet Estat.Api.dll").RunAsync(args, StandaloneServer.Create).ConfigureAwait(false);
