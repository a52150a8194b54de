#!/usr/bin/env bash
# Measures Estat beside what limits it. By environment or make: ROUNDS=5 SECONDS=5 ONLY=collect,batch,… and PUBLISH=1, which keeps the result in docs/.
#
#   bench.sh [ROUNDS] [SECONDS] [ONLY] [PUBLISH]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
readonly ROUNDS=${1:-5} TURN=${2:-5} ONLY=${3:-} PUBLISH=${4:-} RESULTS=artifacts/bench

scripts/ensure-bench-tools.sh
dotnet artifacts/bin/Estat.Bench/release/Estat.Bench.dll suite --rounds "$ROUNDS" --seconds "$TURN" ${ONLY:+--only "$ONLY"} \
    --json "$RESULTS/bench.json" --svg "$RESULTS/bench.svg"
if [[ -n $PUBLISH ]]; then
    mkdir -p docs/images
    cp "$RESULTS/bench.json" docs/bench.json
    cp "$RESULTS/bench.svg" docs/images/bench.svg
    echo "published: docs/bench.json and docs/images/bench.svg"
fi
