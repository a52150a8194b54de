#!/usr/bin/env bash
# A backlog on disk: a real S3 goes away, events go on coming until so many GB of lines wait, it comes back. Prints how it drains, memory, and what new
# events wait before, meanwhile and after.
#
#   backlog.sh [GIGABYTES] [hung|stopped]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
scripts/ensure-test-servers.sh
scripts/ensure-bench-tools.sh
exec dotnet artifacts/bin/Estat.Bench/release/Estat.Bench.dll backlog "${1:-10}" "${2:-hung}"
