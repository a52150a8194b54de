#!/usr/bin/env bash
# Makes sure that the DynamoDB of tests and local runs (deploy/local/dynamodb.js) can start: Node.js and npm, by apt as root, and dynalite, by npm into
# artifacts/dynamodb. Exit code 1, and words on what to do, if it cannot.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly DYNALITE=4.0.0 FOLDER=artifacts/dynamodb
log=$(mktemp)
trap 'rm -f "$log"' EXIT

node_present() { command -v node >/dev/null && command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)'; }

advise() {
    cat >&2 <<'TEXT'
The local DynamoDB needs Node.js 18 or later and npm. To install them, as root:
    apt-get install --no-install-recommends nodejs npm
or see https://nodejs.org/en/download
TEXT
    exit 1
}

if ! node_present; then
    if ((EUID != 0)) || ! command -v apt-get >/dev/null; then advise; fi
    echo "Installing Node.js and npm, for the local DynamoDB…"
    export DEBIAN_FRONTEND=noninteractive
    if ! { timeout 300 apt-get update && timeout 600 apt-get install -y --no-install-recommends nodejs npm; } >"$log" 2>&1 || ! node_present; then
        tail -n 15 "$log" >&2
        advise
    fi
fi

if ! grep -qs "\"version\": \"$DYNALITE\"" "$FOLDER/node_modules/dynalite/package.json"; then
    echo "Fetching dynalite $DYNALITE by npm, the local DynamoDB (10 MB, some seconds)…"
    mkdir -p "$FOLDER"
    # Without install scripts: it keeps its tables in memory and needs nothing compiled.
    if ! timeout 300 npm install --prefix "$FOLDER" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error "dynalite@$DYNALITE" >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        echo "npm could not install dynalite $DYNALITE into $FOLDER. Is the npm registry reachable? (npm ping)" >&2
        exit 1
    fi
fi
