#!/usr/bin/env bash
# Builds everything in Release.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
. scripts/dynamodb-provider.sh
echo "Building Estat.sln (a first build takes about a minute)…"
build_release Estat.sln
say_dynamodb
