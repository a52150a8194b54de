#!/usr/bin/env bash
# Runs the model tests of the spool and of a gateway with more seeds than `make test` does, some minutes' worth. A failure names its seed.
#
#   ESTAT_MODEL_SEEDS=n   so many seeds for each model (default 20000)
#   ESTAT_MODEL_SEED=n    this seed of the spool's models alone, repeatedly
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh
export ESTAT_MODEL_SEEDS=${ESTAT_MODEL_SEEDS:-20000}
build_release tests/Estat.Spool.Tests
dotnet exec artifacts/bin/Estat.Spool.Tests/release/Estat.Spool.Tests.dll -noColor -noLogo -method "*SpoolModelTests*"
if [[ -z ${ESTAT_MODEL_SEED:-} ]]; then
    build_release tests/Estat.Grains.Tests
    dotnet exec artifacts/bin/Estat.Grains.Tests/release/Estat.Grains.Tests.dll -noColor -noLogo -method "*GatewayModelTests*"
    build_release tests/Estat.Requests.Tests
    # A run of it takes some tenths of a second: it opens real databases.
    ESTAT_MODEL_SEEDS=$((ESTAT_MODEL_SEEDS / 20)) \
        dotnet exec artifacts/bin/Estat.Requests.Tests/release/Estat.Requests.Tests.dll -noColor -noLogo -method "*RequestModelTests*"
fi
