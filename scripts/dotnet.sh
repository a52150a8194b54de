# shellcheck shell=bash
# Sourced by the other scripts: makes sure that the .NET 10 SDK is there and quiet.

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
# Build nodes that outlive the build would hold on to the memory that tests need.
export MSBUILDDISABLENODEREUSE=1

# Builds in Release: with the SDK's live display on a terminal, elsewhere with words only about what went wrong.
# One compiler of its own for all projects, which ends with the build: 25 of them would each compile the analyzers again.
build_release() {
    local log failed='' version folder
    local -a command=(dotnet build "$1" -c Release --nologo -v quiet -clp:NoSummary -p:UseSharedCompilation=true "-p:SharedCompilationId=estat-$$")
    if [[ -t 1 ]]; then
        "${command[@]}" || failed=1
    elif ! log=$("${command[@]}" 2>&1); then
        printf '%s\n' "$log"
        failed=1
    fi
    version=$(dotnet --version)
    folder=$(dotnet --list-sdks | sed -nE "s:^$version \[(.*)\]$:\1:p")/$version
    # By itself it would end after ten idle minutes.
    dotnet "$folder/Roslyn/bincore/VBCSCompiler.dll" -shutdown "-pipename:estat-$$" >/dev/null 2>&1 || true
    [[ -z $failed ]]
}

# Where Microsoft's install script puts it for a user.
if ! command -v dotnet >/dev/null && [[ -x $HOME/.dotnet/dotnet ]]; then
    export DOTNET_ROOT=$HOME/.dotnet PATH=$HOME/.dotnet:$PATH
fi

if ! command -v dotnet >/dev/null || ! dotnet --list-sdks | grep -q '^10\.'; then
    cat >&2 <<'TEXT'
Estat needs the .NET 10 SDK, which is not on this machine. To install it for this user:
    curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0
or as a package (Debian and Ubuntu; see https://learn.microsoft.com/dotnet/core/install/linux for Microsoft's feed):
    apt-get install -y dotnet-sdk-10.0
TEXT
    return 1
fi
