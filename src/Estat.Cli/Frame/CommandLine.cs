// From the command line to a verb, and from what it throws to an exit code.
using System.CommandLine.Invocation;
using Amazon;
using Estat.Api.Options;
using Estat.Base.Options;
using Estat.Base.Storage;

namespace Estat.Cli.Frame;

/// <summary>Parses, invokes, and turns errors into one line. Ctrl-C is ours (<see cref="Interruption"/>), not the library's, which would cut a verb
/// off.</summary>
internal static class CommandLine
{
    private const string Summary =
        "Estat takes events over HTTP and stores them in S3 as gzip JSONL. Exit codes: 0 done, 1 failed or found something, 2 wrong usage, 130 "
            + "interrupted.";

    private const int BrokenPipe = 32; // EPIPE: .NET hands errno on

    // File arguments that begin with @ are files, not lists of arguments.
    private static readonly ParserConfiguration Parsing = new() { EnablePosixBundling = false, ResponseFileTokenReplacer = null };

    internal static async Task<int> RunAsync(string[] args, IEnumerable<Command> verbs)
    {
        // The server's own command line knows its options best, and its --health.
        if (args is [Run.RunVerb.Name, ..])
        {
            return await Run.RunVerb.RunAsync(args[1..]).ConfigureAwait(false);
        }

        try
        {
            EnvFile.Load(EnvFile.Name);
        }
        catch (OptionException error)
        {
            Console.Error.WriteLine($"estat: {error.Message}");
            return ExitCode.WrongUsage;
        }

        AWSConfigs.HttpClientFactory = new AwsHttpClients(); // also for what the SDK asks by itself, such as a role's credentials
        var root = new RootCommand(Summary);
        foreach (Command verb in verbs)
        {
            root.Subcommands.Add(verb);
        }

        if (args.Length == 0)
        {
            await root.Parse(["--help"], Parsing).InvokeAsync(new InvocationConfiguration { Output = Console.Error }).ConfigureAwait(false);
            return ExitCode.WrongUsage;
        }

        ParseResult parsed = root.Parse(args, Parsing);
        if (parsed.Action is ParseErrorAction)
        {
            foreach (var error in parsed.Errors)
            {
                Console.Error.WriteLine($"estat: {error.Message.ReplaceLineEndings(" ").Replace("\t", "", StringComparison.Ordinal)}");
            }

            Console.Error.WriteLine($"{Path(parsed)} --help shows how to use it.");
            return ExitCode.WrongUsage;
        }

        return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null })
            .ConfigureAwait(false);
    }

    /// <summary>Gives a command its action.</summary>
    /// <param name="command">The verb, or a verb below it.</param>
    /// <param name="action">Does it and gives the exit code. <see cref="CliException"/>, options that cannot be taken, files and stores that fail,
    /// and an interruption that it lets through are told and turned into codes here.</param>
    internal static Command Does(this Command command, Func<ParseResult, Shell, Task<int>> action)
    {
        command.SetAction(async (parsed, _) =>
        {
            TimeSpan shutdownTimeout;
            try
            {
                shutdownTimeout = ShutdownTimeout();
            }
            catch (OptionException error)
            {
                Console.Error.WriteLine($"estat: {error.Message}");
                return ExitCode.WrongUsage;
            }

            using var shell = new Shell(TimeProvider.System, shutdownTimeout);
            try
            {
                return await action(parsed, shell).ConfigureAwait(false);
            }
            catch (CliException error)
            {
                return Tell(shell, error.Message, error.Code);
            }
            catch (OptionException error)
            {
                return Tell(shell, error.Message, ExitCode.WrongUsage);
            }
            catch (OperationCanceledException) when (shell.Interruption.IsAsked)
            {
                return Tell(shell, "interrupted", ExitCode.Interrupted);
            }
            catch (IOException error) when (!shell.OutIsTerminal && error.HResult == BrokenPipe)
            {
                // `estat … | head`: the reader has what it wanted.
                return ExitCode.Done;
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or StorageException)
            {
                return Tell(shell, error.Message, ExitCode.Failed);
            }
        });
        return command;
    }

    // The node's own option, which operators of containers know; from the environment, as verbs have no --KEY.
    private static TimeSpan ShutdownTimeout() =>
        NodeOptions.Environment("SHUTDOWN_TIMEOUT") is { } text
            ? OptionTable.All.Single(option => option.Name == "SHUTDOWN_TIMEOUT").Apply(new EstatOptions(), text).Node.ShutdownTimeout
            : new EstatOptions().Node.ShutdownTimeout;

    private static int Tell(Shell shell, string message, int code)
    {
        shell.Note($"estat: {Shell.Printable(message.ReplaceLineEndings(" "))}");
        return code;
    }

    private static string Path(ParseResult parsed)
    {
        var names = new List<string>();
        for (var at = parsed.CommandResult; at is not null; at = at.Parent as System.CommandLine.Parsing.CommandResult)
        {
            names.Insert(0, at.Command is RootCommand ? "estat" : at.Command.Name);
        }

        return string.Join(' ', names);
    }
}
