#!/usr/bin/env bash
# Runs bench/Estat.Microbench with the arguments given; BenchmarkDotNet's reports go to artifacts/microbench.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
[[ ${1:-} == gzip ]] || set -- "$@" --artifacts artifacts/microbench
exec dotnet artifacts/bin/Estat.Microbench/release/Estat.Microbench.dll "$@"
