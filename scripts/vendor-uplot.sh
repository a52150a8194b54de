#!/usr/bin/env bash
# Fetches the console's chart library from npm, checks that it is the one that was reviewed, and lays what is served, and its licence, into the console's folder.
# The result is committed: neither a build nor a run needs the network. To take another version, change both lines below and look through the difference.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly PACKAGE=uplot@1.6.32
readonly SHA256=4b8a8191e425658e3ea8c8c1314b0fc679c861ee3a1af2b20c7b16ba50b5133d
readonly TARGET=src/Estat.Http/Console/vendor

command -v npm >/dev/null || { echo "npm is not installed: apt-get install npm" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && npm pack --silent "$PACKAGE" >/dev/null)
archive=$(echo "$folder"/*.tgz)
if ! sha256sum --check --status <<<"$SHA256  $archive"; then
    echo "$PACKAGE is not what was reviewed: SHA-256 is $(sha256sum <"$archive" | cut -d' ' -f1), expected $SHA256. Nothing was changed." >&2
    exit 1
fi
tar -xzf "$archive" -C "$folder"
mkdir -p "$TARGET"
cp "$folder/package/dist/uPlot.iife.min.js" "$TARGET/uplot.js"
cp "$folder/package/dist/uPlot.min.css" "$TARGET/uplot.css"
cp "$folder/package/LICENSE" "$TARGET/uplot-LICENSE.txt"
chmod 644 "$TARGET"/uplot*
echo "$PACKAGE is in $TARGET."
