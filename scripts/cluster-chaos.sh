#!/usr/bin/env bash
# Builds the cluster and its oracle and runs them; every argument goes to the program, see there or --help. Becomes it, so that Ctrl-C reaches it.
# CLUSTERING=redis (the default) or dynamodb chooses what holds the membership.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
scripts/ensure-test-servers.sh
. scripts/dynamodb-provider.sh
if [[ ${CLUSTERING:-redis} == dynamodb ]]; then
    scripts/ensure-dynamodb.sh
else
    scripts/ensure-redis.sh
fi
echo "Building (a first build takes about a minute)…"
build_release tests/Estat.Cluster.Chaos
exec dotnet artifacts/bin/Estat.Cluster.Chaos/release/Estat.Cluster.Chaos.dll --clustering "${CLUSTERING:-redis}" "$@"
