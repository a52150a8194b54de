// The standalone server's command line: options in, exit code out.
using System.Collections;
using System.Reflection;
using Estat.Api.Hosting;
using Estat.Core.Hosting;
using Estat.Core.Options;

const int Stopped = 0;
const int Failed = 1;
const int WrongOption = 2;

if (args.Any(argument => argument is "--help" or "-h" or "-?"))
{
    Console.WriteLine("Usage: dotnet Estat.Api.dll [--KEY=value ...]\n");
    Console.WriteLine("Takes events over HTTP and lays them in S3 (or a folder) as gzip JSONL. Options come from the command line, the");
    Console.WriteLine("environment or appsettings.json; the first of these that names a key wins. Durations are written 500ms, 3s, 2m, 24h.\n");
    Console.Write(OptionTable.Help(OptionTable.All));
    return Stopped;
}

if (args.Contains("--version"))
{
    Console.WriteLine($"estat {Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion}");
    return Stopped;
}

NativeHeap.Limit();
try
{
    IEnumerable<KeyValuePair<string, string?>> environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
        .Select(pair => new KeyValuePair<string, string?>((string)pair.Key, pair.Value as string));
    EstatOptions options = OptionTable.Bind(args, environment, "appsettings.json");
    bool isTerminal = !Console.IsOutputRedirected;
    await using var server = new StandaloneServer(options, TimeProvider.System, isTerminal);
    await server.StartAsync().ConfigureAwait(false);
    return await server.RunAsync().ConfigureAwait(false);
}
catch (OptionException error)
{
    Console.Error.WriteLine($"estat: {error.Message}");
    return WrongOption;
}
catch (IOException error)
{
    // A folder or a port that cannot be had: the message says which, and what to do.
    Console.Error.WriteLine($"estat: {error.Message}");
    return Failed;
}
