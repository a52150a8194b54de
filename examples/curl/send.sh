#!/usr/bin/env bash
# Sends one event and a batch to Estat with curl, and says what was acknowledged.
#
#   ESTAT_URL=http://127.0.0.1:8080 ESTAT_KEY=… ./send.sh
#
# Not now (408, 429, 5xx) and no answer mean: send it again, after Retry-After or a growing pause, with the same Idempotency-Key. 413 means: smaller pieces.
set -euo pipefail
readonly URL=${ESTAT_URL:-http://127.0.0.1:8080} ATTEMPTS=8
head=$(mktemp) answer=$(mktemp)
trap 'rm -f "$head" "$answer"' EXIT

header() { sed -n "s/^$1: *//Ip" "$head" | tr -d '\r' | tail -n 1; }

# post PATH MEDIA_TYPE BODY: prints what was acknowledged. Exit code 0: taken; 13: too large; 1: not taken.
post() {
    local id status attempt
    id=$(tr -d - </proc/sys/kernel/random/uuid)
    for ((attempt = 0; attempt < ATTEMPTS; attempt++)); do
        # --data-binary: --data would take the line ends away.
        status=$(curl --silent --show-error --max-time 30 --dump-header "$head" --output "$answer" --write-out '%{http_code}' \
            --header "Content-Type: $2" --header "Idempotency-Key: $id" ${ESTAT_KEY:+--header "X-Api-Key: $ESTAT_KEY"} \
            --data-binary "$3" "$URL$1") || status=000
        # Without X-Estat-Ack the answer is not Estat's: a portal or a proxy says 200 as well.
        if [[ $status == 2?? && -z $(header X-Estat-Ack) ]]; then status='no X-Estat-Ack'; fi
        case $status in
            200 | 202) echo "$(header X-Estat-Ack), in $(header X-Estat-Key) $(cat "$answer")" && return 0 ;;
            413) return 13 ;;
            no* | 000 | 408 | 429 | 500 | 502 | 503 | 504) ;;
            *) echo "refused with $status: $(cat "$answer")" >&2 && return 1 ;;
        esac
        if ((attempt + 1 < ATTEMPTS)); then
            # In milliseconds: a quarter of a second, doubled each time, or what the server asks for; and up to half of it again, so that not all come at once.
            local pause=$((250 << attempt)) asked=
            [[ $status == 000 ]] || asked=$(header Retry-After)
            if [[ $asked =~ ^[0-9]+$ ]] && ((asked * 1000 > pause)); then pause=$((asked * 1000)); fi
            pause=$((pause + RANDOM % (pause / 2 + 1)))
            echo "$1: $status, again in $pause ms" >&2
            sleep "$(printf '%d.%03d' $((pause / 1000)) $((pause % 1000)))"
        fi
    done
    echo "$1: given up after $ATTEMPTS attempts" >&2
    return 1
}

# batch LINE…: in halves, if it is too large.
batch() {
    local code=0 half=$(($# / 2))
    post /collect/batch application/x-ndjson "$(printf '%s\n' "$@")" || code=$?
    if ((code == 13 && $# > 1)); then
        batch "${@:1:half}" && batch "${@:half+1}"
    else
        return "$code"
    fi
}

echo "one event: $(post /collect application/json '{"page":"/home","from":"curl"}')"
batch '{"page":"/a","from":"curl"}' '{"page":"/b","from":"curl"}' '{"page":"/c","from":"curl"}' | sed 's/^/batch: /'
