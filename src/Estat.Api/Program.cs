// The standalone server's command line.
using Estat.Api.Hosting;

return await StandaloneProgram.For("dotnet Estat.Api.dll").RunAsync(args, StandaloneServer.Create).ConfigureAwait(false);
