#!/usr/bin/env bash
# Measures Estat beside what limits it, and prints one table; results are in artifacts/bench. PUBLISH, if not empty, keeps them in docs/.
# AGAINST is another build's Estat.Api.dll, which the part "before" measures beside this one.
#
#   bench.sh [ROUNDS] [SECONDS] [ONLY] [PUBLISH] [AGAINST]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
readonly ROUNDS=${1:-5} TURN=${2:-5} ONLY=${3:-} PUBLISH=${4:-} AGAINST=${5:-} RESULTS=artifacts/bench

scripts/ensure-test-servers.sh
scripts/ensure-bench-tools.sh
dotnet artifacts/bin/Estat.Bench/release/Estat.Bench.dll suite --rounds "$ROUNDS" --seconds "$TURN" ${ONLY:+--only "$ONLY"} ${AGAINST:+--against "$AGAINST"}
if [[ -n $PUBLISH ]]; then
    mkdir -p docs/images
    cp "$RESULTS/bench.json" docs/bench.json
    cp "$RESULTS/bench.svg" docs/images/bench.svg
    echo "published: docs/bench.json and docs/images/bench.svg"
fi
