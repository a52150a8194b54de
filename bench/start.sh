#!/usr/bin/env bash
# Process start to the first 200 of /health/ready, and the CPU time that it took: forms of the published server in turns, in one run. Each start has folders
# of its own and an S3 endpoint that nobody listens on, so that the AWS SDK is started up as well. Prints medians and least values.
#
#   start.sh ROUNDS [NAME=COMMAND…]       such as  start.sh 10 old="dotnet /old/Estat.Api.dll" new="dotnet /new/Estat.Api.dll"
#
# Without a command: the server as scripts/publish.sh publishes it, and as make build builds it, which leaves all compiling to the start.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly ROUNDS=${1:-10} PORT=18088
shift || true
# Not /tmp, which is a tmpfs on many machines: a flush there costs nothing.
work=$(mktemp -d "${TMPDIR:-/var/tmp}/estat-start.XXXXXX")
server=''
cleanup() {
    if [[ -n $server ]]; then kill -KILL "$server" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap cleanup EXIT

if (($# == 0)); then
    scripts/publish.sh "$work/app"
    set -- "published=dotnet $work/app/Estat.Api.dll" "built=dotnet artifacts/bin/Estat.Api/release/Estat.Api.dll"
fi

# Asks without a process of its own: curl's start alone takes 10 ms.
ready() {
    local status
    { exec 3<>"/dev/tcp/127.0.0.1/$PORT"; } 2>/dev/null || return 1
    printf 'GET /health/ready HTTP/1.1\r\nHost: estat\r\nConnection: close\r\n\r\n' >&3
    read -r -t 5 status <&3 || true
    exec 3>&-
    [[ $status == *' 200 '* ]]
}

start() { # NAME COMMAND
    local began=${EPOCHREALTIME/./} ended
    # shellcheck disable=SC2086 # a command of several words
    AWS_ACCESS_KEY_ID=a AWS_SECRET_ACCESS_KEY=b RAW_BUCKET=start S3_ENDPOINT=http://127.0.0.1:1 LOG_LEVEL=error HTTP_ADDR=127.0.0.1:$PORT \
        SPOOL_DIR=$work/spool DLQ_DIR=$work/dlq $2 & server=$!
    until ready; do
        kill -0 "$server" || { echo "start: $1 ended" >&2; exit 1; }
        read -r -t 0.002 <> <(:) || true
    done
    ended=${EPOCHREALTIME/./}
    echo "$1 $(((ended - began) / 1000)) $(awk '{ print ($14 + $15) * 10 }' "/proc/$server/stat") $(awk '/VmRSS/{ printf "%.0f", $2 / 1024 }' "/proc/$server/status")" >>"$work/starts"
    kill -KILL "$server"
    wait "$server" 2>/dev/null || true
    server=''
    rm -rf "$work/spool" "$work/dlq"
}

# A round that warms the page cache.
for form in "$@"; do start "${form%%=*}" "${form#*=}"; done
: >"$work/starts"
for _ in $(seq "$ROUNDS"); do
    for form in "$@"; do start "${form%%=*}" "${form#*=}"; done
done
column() { awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$work/starts" | sort -n; }
echo "$(nproc) cores, $ROUNDS rounds; start to ready in ms (median, least), CPU time in ms (median), resident MB at ready"
for form in "$@"; do
    name=${form%%=*}
    echo "$name $(column "$name" 2 | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)], v[1] }')" \
        "$(column "$name" 3 | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }') $(column "$name" 4 | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }')"
done
