// `estat run`: the standalone server, the same as Estat.Api's own program.
using Estat.Api.Hosting;
using Estat.Api.Options;

namespace Estat.Cli.Run;

/// <summary>Its arguments are the server's own (<c>--KEY=value</c>, <c>--health URL</c>); the parser knows them for help's list and for
/// completion.</summary>
internal static class RunVerb
{
    internal const string Name = "run";

    internal static Command Create()
    {
        var command = new Command(Name, "Starts the standalone server; options by --KEY=value, the environment or appsettings.json");
        foreach (Option option in ServerOptions.Create(OptionTable.All))
        {
            command.Options.Add(option);
        }

        return command;
    }

    /// <summary>Serves until a signal.</summary>
    internal static Task<int> RunAsync(string[] args) => StandaloneProgram.For("estat run").RunAsync(args, StandaloneServer.Create);
}
