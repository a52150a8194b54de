#!/usr/bin/env bash
# Publishes the standalone server (or the cluster's node) for this machine's platform, compiled ahead of time as in the Dockerfile, with the command line
# (estat.dll) beside it. Where the compiler's package cannot be restored it says so and publishes without: the same server, which starts slower.
#
#   publish.sh FOLDER [Estat.Api|Estat.Silo]
set -euo pipefail
usage() { echo "usage: $0 FOLDER [Estat.Api|Estat.Silo]" >&2; exit 1; }
(($# >= 1)) || usage
folder=$(realpath -m "$1")
# The command line refers to Estat.Api, so that publishing it makes both, over the same libraries.
case ${2:-Estat.Api} in
    Estat.Api) projects=(Estat.Cli) ;;
    Estat.Silo) projects=(Estat.Cli Estat.Silo) ;;
    *) usage ;;
esac
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
if [[ ${2:-} == Estat.Silo ]]; then
    . scripts/dynamodb-provider.sh
    say_dynamodb >&2
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

ahead=()
for project in "${projects[@]}"; do
    if ! log=$(dotnet restore "src/$project" --use-current-runtime --nologo -v quiet 2>&1); then
        echo "Not compiled ahead of time, as its compiler could not be restored:" >&2
        printf '%s\n' "$log" | grep -m 3 -E 'error|warn' >&2 || true
        ahead=(-p:PublishReadyToRun=false)
        break
    fi
done

# Each into a folder of its own, then one over the other: a publishing into the other's folder keeps what is newer there, and what both have is to be the node's.
for project in "${projects[@]}"; do
    dotnet publish "src/$project" -c Release --use-current-runtime --self-contained false -p:UseAppHost=false -p:DebugType=none -o "$work/$project" \
        --nologo -v quiet -clp:NoSummary "${ahead[@]}"
    mkdir -p "$folder"
    cp -r "$work/$project/." "$folder"
done
