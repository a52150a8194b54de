// One script a shell. Each hands the line and the cursor to the program and takes a candidate a line back.
namespace Estat.Cli.Completion;

/// <summary>Scripts by the shell's name.</summary>
internal static class CompletionScripts
{
    private const string Bash = """
        # bash: put  source <(estat completion bash)  into ~/.bashrc
        _estat() {
            local IFS=$'\n' word=${COMP_WORDS[COMP_CWORD]}
            # What is completed may be named by a path; the parser wants its own name there.
            local line="estat ${COMP_LINE#* }" cut=$(( ${#COMP_LINE} - COMP_POINT ))
            mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$(( ${#line} - cut ))]" "$line" 2>/dev/null)" -- "$word")
        }
        complete -o default -F _estat estat

        """;

    private const string Zsh = """
        # zsh: put  source <(estat completion zsh)  into ~/.zshrc, after compinit
        _estat() {
            local -a candidates
            local line="estat ${BUFFER#* }" cut=$(( ${#BUFFER} - CURSOR ))
            candidates=("${(@f)$("${words[1]}" "[suggest:$(( ${#line} - cut ))]" "$line" 2>/dev/null)}")
            compadd -a candidates || _files
        }
        compdef _estat estat

        """;

    private const string Fish = """
        # fish: estat completion fish > ~/.config/fish/completions/estat.fish
        function __estat_complete
            set -l line (commandline -cp)
            set -l line "estat "(string replace -r '^\S+\s*' '' -- $line)
            estat "[suggest:"(string length -- $line)"]" $line 2>/dev/null
        end
        complete -c estat -a '(__estat_complete)'

        """;

    private const string PowerShell = """
        # PowerShell: put  estat completion pwsh | Out-String | Invoke-Expression  into $PROFILE
        Register-ArgumentCompleter -Native -CommandName estat -ScriptBlock {
            param($word, $ast, $cursor)
            $line = "$ast"
            if ($line.Length -lt $cursor) { $line = $line.PadRight($cursor) }
            estat "[suggest:$cursor]" $line 2>$null | Where-Object { $_ -like "$word*" } |
                ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
        }

        """;

    internal static IReadOnlyDictionary<string, string> All { get; } =
        new SortedDictionary<string, string>(StringComparer.Ordinal) { ["bash"] = Bash, ["fish"] = Fish, ["pwsh"] = PowerShell, ["zsh"] = Zsh };
}
