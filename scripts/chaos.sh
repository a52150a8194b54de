#!/usr/bin/env bash
# Builds and runs the rounds of trouble; every argument goes to the program, see there or --help. Becomes it, so that Ctrl-C reaches it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
scripts/ensure-test-servers.sh
echo "Building (a first build takes about a minute)…"
build_release tests/Estat.Chaos
exec dotnet artifacts/bin/Estat.Chaos/release/Estat.Chaos.dll "$@"
