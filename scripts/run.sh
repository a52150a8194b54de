#!/usr/bin/env bash
# Builds the standalone server and becomes it: signals reach it directly, and make waits until it has finished.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
echo "Building the server (a first build takes about a minute)…"
build_release src/Estat.Api
# Whether the environment, .env or the settings file says it.
said() { [[ -n ${!1:-} ]] || grep -qsE "^(export )?$1=" .env || grep -qsi "\"$1\"" appsettings.json; }
# Reachable from this machine alone unless the environment or the settings file says otherwise.
if ! said HTTP_ADDR; then export HTTP_ADDR=127.0.0.1:8080; fi
# Somebody reads along, also through a pipe.
if ! said LOG_FORMAT; then export LOG_FORMAT=text; fi
echo "Starting it; Ctrl-C stops it…"
exec dotnet artifacts/bin/Estat.Api/release/Estat.Api.dll
