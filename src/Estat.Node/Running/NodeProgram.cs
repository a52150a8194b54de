// A node's command line: options in, exit code out. The same for every program of Estat.
using System.Collections;
using System.Reflection;
using System.Runtime.InteropServices;
using Estat.Base.Memory;
using Estat.Base.Options;
using Estat.Base.Threading;
using Estat.Http.Listening;
using Estat.Http.Options;

namespace Estat.Node.Running;

/// <summary>A program that serves until a signal.</summary>
/// <param name="Command">How it is started, for the usage line.</param>
/// <param name="Summary">What it does, one sentence.</param>
/// <param name="Specs">Its options.</param>
/// <param name="Bind">Binds and checks them.</param>
/// <param name="Parts">Those of the listener and of the process.</param>
internal sealed record NodeProgram<TOptions>(
    string Command, string Summary, IReadOnlyList<OptionSpec<TOptions>> Specs,
    Func<string[], IEnumerable<KeyValuePair<string, string?>>, string, TOptions> Bind, Func<TOptions, (HttpOptions Http, NodeOptions Node)> Parts)
{
    private const int Stopped = 0;
    private const int Failed = 1;
    private const int WrongOption = 2;

    /// <summary>Runs it.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="create">Makes the server; is told whether standard output is a terminal, and what bounds its end.</param>
    internal async Task<int> RunAsync(string[] args, Func<TOptions, bool, ExitLimit, INodeServer> create)
    {
        if (HealthProbe.IsAskedFor(args))
        {
            return await HealthProbe.RunAsync(args, Console.Error).ConfigureAwait(false);
        }

        if (args.Any(argument => argument is "--help" or "-h" or "-?"))
        {
            Console.WriteLine($"Usage: {Command} [--KEY=value ...]");
            Console.WriteLine($"       {Command} --health URL      exit code 0 if URL (/health, /health/ready) answers 2xx, else 1\n");
            Console.WriteLine($"{Summary} Options come from the command line, the");
            Console.WriteLine("environment, the file .env or appsettings.json; the first of these that sets an option wins. Write durations as "
                + "500ms, 3s, 2m, 24h.\n");
            Console.Write(OptionBinding.Help(Specs));
            return Stopped;
        }

        if (args.Contains("--version"))
        {
            Assembly own = typeof(INodeServer).Assembly;
            Console.WriteLine($"estat {own.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion}");
            return Stopped;
        }

        NativeHeap.Limit();
        try
        {
            EnvFile.Load(EnvFile.Name);
            IEnumerable<KeyValuePair<string, string?>> environment = Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
                .Select(pair => new KeyValuePair<string, string?>((string)pair.Key, pair.Value as string));
            TOptions options = Bind(args, environment, "appsettings.json");
            (HttpOptions http, NodeOptions node) = Parts(options);
            SocketPolling.Apply(http.Sockets);
            using var limit = new ExitLimit(
                node.ShutdownTimeout, Failed,
                $"estat: did not end within SHUTDOWN_TIMEOUT={GoDuration.Format(node.ShutdownTimeout)}: something hangs, most often a disk. "
                + "The process ends now. Events acknowledged at a level above memory are in SPOOL_DIR, and the next start uploads them",
                PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT);
            return await ServeAsync(create(options, !Console.IsOutputRedirected, limit), limit).ConfigureAwait(false);
        }
        catch (Exception error) when (error is OptionException or IOException)
        {
            return Tell(error);
        }
    }

    // Whatever ends it, a signal or not, its end has SHUTDOWN_TIMEOUT. A start that failed is told before: its end may hang, on the same disk.
    private static async Task<int> ServeAsync(INodeServer server, ExitLimit limit)
    {
        await using (server.ConfigureAwait(false))
        {
            try
            {
                await server.StartAsync().ConfigureAwait(false);
                return await server.RunAsync().ConfigureAwait(false);
            }
            catch (Exception error) when (error is OptionException or IOException)
            {
                return Tell(error);
            }
            finally
            {
                limit.Begin();
            }
        }
    }

    // An option, a folder or a port that cannot be had: the message says which, and what to do.
    private static int Tell(Exception error)
    {
        Console.Error.WriteLine($"estat: {error.Message}");
        return error is OptionException ? WrongOption : Failed;
    }
}
