# shellcheck shell=bash
# Sourced by the other scripts: makes sure that the .NET 10 SDK is there and quiet.

export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_GENERATE_ASPNET_CERTIFICATE=false
# Build nodes that outlive the build would hold on to the memory that tests need.
export MSBUILDDISABLENODEREUSE=1

# Builds in Release: with the SDK's live display on a terminal, elsewhere with words only about what went wrong.
build_release() {
    local log
    if [[ -t 1 ]]; then
        dotnet build "$1" -c Release --nologo -v quiet -clp:NoSummary
    elif ! log=$(dotnet build "$1" -c Release --nologo -v quiet -clp:NoSummary 2>&1); then
        printf '%s\n' "$log"
        return 1
    fi
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
