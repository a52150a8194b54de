#!/usr/bin/env bash
# Builds everything that can be built here, in Release.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
. scripts/solution.sh
echo "Building $SOLUTION (a first build takes about a minute)…"
build_release "$SOLUTION"
say_cluster
