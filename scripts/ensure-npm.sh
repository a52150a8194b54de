#!/usr/bin/env bash
# Makes sure that one of the servers in deploy/local can start: Node.js and npm, by apt as root, and the npm package that the server stands on. Exit
# code 1, and words on what to do, if it cannot.
#
#   ensure-npm.sh NAME PACKAGE VERSION FOLDER      "the local SQS" fauxqs 1.9.2 artifacts/sqs
set -euo pipefail
cd "$(dirname "$0")/.."

readonly NAME=$1 PACKAGE=$2 VERSION=$3 FOLDER=$4
log=$(mktemp)
trap 'rm -f "$log"' EXIT

node_present() { command -v node >/dev/null && command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)'; }

advise() {
    cat >&2 <<TEXT
For $NAME this machine needs Node.js 18 or later and npm. To install them, as root:
    apt-get install --no-install-recommends nodejs npm
or see https://nodejs.org/en/download
TEXT
    exit 1
}

if ! node_present; then
    if ((EUID != 0)) || ! command -v apt-get >/dev/null; then advise; fi
    echo "Installing Node.js and npm, for $NAME…"
    export DEBIAN_FRONTEND=noninteractive
    if ! { timeout 300 apt-get update && timeout 600 apt-get install -y --no-install-recommends nodejs npm; } >"$log" 2>&1 || ! node_present; then
        tail -n 15 "$log" >&2
        advise
    fi
fi

if ! grep -qs "\"version\": \"$VERSION\"" "$FOLDER/node_modules/$PACKAGE/package.json"; then
    echo "Fetching $PACKAGE $VERSION by npm, for $NAME (some seconds)…"
    mkdir -p "$FOLDER"
    # Without install scripts: all is kept in memory and nothing needs to be compiled. Of the newer Node.js that a package asks for, npm only warns.
    if ! timeout 300 npm install --prefix "$FOLDER" --no-save --no-audit --no-fund --ignore-scripts --loglevel=error "$PACKAGE@$VERSION" \
        >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        echo "npm could not install $PACKAGE $VERSION into $FOLDER. Is the npm registry reachable? (npm ping)" >&2
        exit 1
    fi
fi
