#!/usr/bin/env bash
# Builds the standalone server and becomes it: signals reach it directly, and make waits until it has finished.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
echo "Building the server (a first build takes about a minute)…"
dotnet build src/Estat.Api -c Release --nologo -v quiet -clp:NoSummary
# Reachable from this machine alone unless the environment says otherwise.
export HTTP_ADDR=${HTTP_ADDR:-127.0.0.1:8080}
echo "Starting it on $HTTP_ADDR; Ctrl-C stops it…"
exec dotnet artifacts/bin/Estat.Api/release/Estat.Api.dll
