#!/usr/bin/env bash
# Builds the standalone server and becomes it: signals reach it directly, and make waits until it has finished.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
echo "Building the server (a first build takes about a minute)…"
build_release src/Estat.Api
# Reachable from this machine alone unless the environment or the settings file says otherwise.
if [[ -z ${HTTP_ADDR:-} ]] && ! grep -qsi '"HTTP_ADDR"' appsettings.json; then export HTTP_ADDR=127.0.0.1:8080; fi
# Somebody reads along, also through a pipe.
if [[ -z ${LOG_FORMAT:-} ]] && ! grep -qsi '"LOG_FORMAT"' appsettings.json; then export LOG_FORMAT=text; fi
echo "Starting it; Ctrl-C stops it…"
exec dotnet artifacts/bin/Estat.Api/release/Estat.Api.dll
