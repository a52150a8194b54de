// `estat completion bash|zsh|fish|pwsh`: a script for the shell, which asks `estat "[suggest:N]" LINE` what fits.
using Estat.Cli.Frame;

namespace Estat.Cli.Completion;

/// <summary>Prints the script; how to install it stands in the script's first lines.</summary>
internal static class CompletionVerb
{
    internal static Command Create()
    {
        var shellName = new Argument<string>("shell") { Description = "bash, zsh, fish or pwsh" };
        shellName.AcceptOnlyFromAmong([.. CompletionScripts.All.Keys]);
        var command = new Command("completion", "Prints a script that completes estat's verbs and options in a shell") { shellName };
        return command.Does((parsed, shell) =>
        {
            shell.Out.Write(CompletionScripts.All[parsed.GetRequiredValue(shellName)]);
            return Task.FromResult(ExitCode.Done);
        });
    }
}
