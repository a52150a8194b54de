#!/usr/bin/env bash
# Publishes the standalone server (or the cluster's node) for this machine's platform, compiled ahead of time as in the Dockerfile. Where the compiler's
# package cannot be restored it says so and publishes without: the same server, which starts slower.
#
#   publish.sh FOLDER [Estat.Api|Estat.Silo]
set -euo pipefail
(($# >= 1)) || { echo "usage: $0 FOLDER [Estat.Api|Estat.Silo]" >&2; exit 1; }
folder=$(realpath -m "$1") project=${2:-Estat.Api}
cd "$(dirname "$0")/.."
. scripts/dotnet.sh

publish() {
    dotnet publish "src/$project" -c Release --use-current-runtime --self-contained false -p:UseAppHost=false -p:DebugType=none -o "$folder" \
        --nologo -v quiet -clp:NoSummary "$@"
}

if ! log=$(dotnet restore "src/$project" --use-current-runtime --nologo -v quiet 2>&1); then
    echo "Not compiled ahead of time, as its compiler could not be restored:" >&2
    printf '%s\n' "$log" | grep -m 3 -E 'error|warn' >&2 || true
    publish -p:PublishReadyToRun=false
    exit
fi
publish
