#!/usr/bin/env bash
# What an event costs along one dimension: connections, partitions, bodies, or time.
#
#   growth.sh connections|partitions|bodies|time [ROUNDS] [SECONDS] [MINUTES] [inline|pool]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
scripts/ensure-bench-tools.sh
exec dotnet artifacts/bin/Estat.Bench/release/Estat.Bench.dll growth "${1:-connections}" --rounds "${2:-5}" --seconds "${3:-5}" --minutes "${4:-20}" \
    --sockets "${5:-inline}"
