#!/usr/bin/env bash
# Makes what is served as /estat.js of its readable source, and notes both hashes, by which a test sees that they belong together. Needs npm.
set -euo pipefail
cd "$(dirname "$0")/../src/Estat.Collect/Http/Snippet"

npx --yes terser@5.51.2 estat.source.js --ecma 2020 --compress passes=5,unsafe=true,unsafe_arrows=true,pure_getters=true --mangle --output estat.min.js
sha256sum estat.source.js estat.min.js >estat.sha256
echo "$(wc -c <estat.min.js) bytes, $(gzip -9c estat.min.js | wc -c) as gzip"
