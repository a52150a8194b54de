#!/usr/bin/env bash
# Produces messages to Estat's topics by curl, with repetitions, and asks for them.
#
#   ESTAT_URL=http://127.0.0.1:8080 ESTAT_KEY=… produce.sh
set -euo pipefail
readonly URL=${ESTAT_URL:-http://127.0.0.1:8080} ATTEMPTS=8
readonly NOT_NOW=' 000 408 429 500 502 503 504 '
headers=()
if [[ -n ${ESTAT_KEY:-} ]]; then headers+=(-H "X-Api-Key: $ESTAT_KEY"); fi
answer=$(mktemp) shown=$(mktemp)
trap 'rm -f "$answer" "$shown"' EXIT

# produce PATH TYPE BODY — all its attempts carry one Idempotency-Key, so that messages of a lost answer are not there twice.
produce() {
    local id attempt status wait
    id=$(tr -d - </proc/sys/kernel/random/uuid)
    for ((attempt = 0; attempt < ATTEMPTS; attempt++)); do
        status=$(curl -s -m 30 -o "$answer" -D "$shown" -w '%{http_code}' "${headers[@]}" -H "Content-Type: $2" -H "Idempotency-Key: $id" \
            --data-binary "$3" "$URL/api/produce/$1") || true
        if [[ $status == 200 ]] && grep -qi '^x-estat-ack:' "$shown"; then
            cat "$answer"
            echo
            return
        fi
        # A 200 without X-Estat-Ack comes from something else on the way.
        if [[ $status != 200 && $NOT_NOW != *" $status "* ]]; then
            echo "$1: $status: $(cat "$answer")" >&2
            return 1
        fi
        wait=$(sed -nE 's/^retry-after: *([0-9]+).*/\1/Ip' "$shown")
        sleep "$((${wait:-0} > 0 ? wait : attempt)).$((RANDOM % 10))"
    done
    echo "$1: given up after $ATTEMPTS attempts; the last was $status" >&2
    return 1
}

produce user-activity application/json '{"userId":"ann","action":"login"}'
produce error-logs application/x-ndjson '{"key":"shop","value":{"service":"shop","message":"no stock"}}
{"key":"shop","value":{"service":"shop","message":"no stock again"}}'
curl -sf "${headers[@]}" "$URL/api/messages?topic=error-logs&limit=2"
echo
