#!/usr/bin/env bash
# Builds the server and the fuzzer and sends it hostile requests; exit code 1 and the case on the first fault. By environment:
# DURATION=2m, SEED (random if empty), CASE (that one case only, with all that is said). With the argument "difference" it compares the answers of a
# server with the fast door and of one without.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
build_release tests/Estat.Fuzz
exec dotnet artifacts/bin/Estat.Fuzz/release/Estat.Fuzz.dll "$@" --duration "${DURATION:-2m}" ${SEED:+--seed "$SEED"} ${CASE:+--case "$CASE"}
