#!/usr/bin/env bash
# Builds the cluster and its oracle and runs them; every argument goes to the program, see there or --help. Becomes it, so that Ctrl-C reaches it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
scripts/ensure-test-servers.sh
scripts/ensure-dynamodb.sh
echo "Building (a first build takes about a minute)…"
build_release tests/Estat.Cluster.Chaos
exec dotnet artifacts/bin/Estat.Cluster.Chaos/release/Estat.Cluster.Chaos.dll "$@"
