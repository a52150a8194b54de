#!/usr/bin/env bash
# POST /collect at ACK=memory and ACK=disk beside a bare Kestrel endpoint that reads the body and answers 200: the same load, in turns, in one run. Prints
# each turn and the medians: requests/s, CPU microseconds of the server process per request, bytes allocated per request, resident memory. Then what a lone
# request takes, beside an fdatasync.
#
#   collect.sh [ROUNDS] [SECONDS_PER_TURN]
set -euo pipefail
cd "$(dirname "$0")/.."
readonly ROUNDS=${1:-5} SECONDS_EACH=${2:-8} CONNECTIONS=64 BARE_PORT=18081 MEMORY_PORT=18082 DISK_PORT=18083

command -v wrk >/dev/null || {
    [[ $(id -u) == 0 ]] || { echo "bench: wrk is missing; apt-get install wrk" >&2; exit 1; }
    apt-get update -qq && apt-get install -y -qq wrk >/dev/null
}
# Not /tmp, which is a tmpfs on many machines: a flush there costs nothing.
work=$(mktemp -d "${TMPDIR:-/var/tmp}/estat-bench.XXXXXX")
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

dotnet artifacts/bin/Estat.Bench/release/Estat.Bench.dll bare $BARE_PORT >/dev/null & bare=$!
start() { # LEVEL PORT
    HTTP_ADDR=127.0.0.1:$2 ACK=$1 STORAGE_DIR=$work/$1/data DLQ_DIR=$work/$1/dlq SPOOL_DIR=$work/$1/spool LOG_LEVEL=warning \
        dotnet artifacts/bin/Estat.Api/release/Estat.Api.dll &
}
start memory $MEMORY_PORT; memory=$!
start disk $DISK_PORT; disk=$!
pids=("$bare" "$memory" "$disk")
for url in "http://127.0.0.1:$BARE_PORT/allocated" "http://127.0.0.1:$MEMORY_PORT/health/ready" "http://127.0.0.1:$DISK_PORT/health/ready"; do
    curl -s --retry 50 --retry-delay 1 --retry-connrefused -o /dev/null "$url"
done

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
allocated() {
    if [[ $1 == bare ]]; then curl -s "http://127.0.0.1:$BARE_PORT/allocated"
    else curl -s "http://127.0.0.1:$2/metrics" | awk '/^dotnet_gc_heap_total_allocated_total /{ print $2 }'; fi
}

turn() { # NAME PID PORT
    local ticks_before ticks_after bytes_before bytes_after out
    bytes_before=$(allocated "$1" "$3") ticks_before=$(ticks "$2")
    out=$(wrk -t1 -c$CONNECTIONS -d"${SECONDS_EACH}s" -s bench/events.lua "http://127.0.0.1:$3")
    ticks_after=$(ticks "$2") bytes_after=$(allocated "$1" "$3")
    awk -v name="$1" -v ticks=$((ticks_after - ticks_before)) -v bytes=$((bytes_after - bytes_before)) -v hz="$(getconf CLK_TCK)" \
        -v rss="$(awk '/VmRSS/{ print $2 / 1024 }' "/proc/$2/status")" '
        / requests in /{ n = $1 } /Requests\/sec/{ rps = $2 } /Non-2xx/{ bad = $NF }
        END { printf "%s %.0f %.2f %.1f %.0f %d\n", name, rps, ticks * 1e6 / hz / n, bytes / n, rss, bad + 0 }' <<<"$out" | tee -a "$work/turns"
}

echo "$(nproc) cores, $(awk -F': ' '/model name/{ print $2; exit }' /proc/cpuinfo), .NET $(dotnet --version), $CONNECTIONS connections, $ROUNDS rounds of $SECONDS_EACH s"
echo "warming up…"
turn bare "$bare" $BARE_PORT >/dev/null
turn memory "$memory" $MEMORY_PORT >/dev/null
turn disk "$disk" $DISK_PORT >/dev/null
: >"$work/turns"
echo "server requests/s cpu_us/request bytes/request rss_mb non_2xx"
for _ in $(seq "$ROUNDS"); do
    turn bare "$bare" $BARE_PORT
    turn memory "$memory" $MEMORY_PORT
    turn disk "$disk" $DISK_PORT
done

median() { awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$work/turns" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
echo "medians:"
for name in bare memory disk; do
    echo "$name $(median $name 2) requests/s, $(median $name 3) µs CPU/request, $(median $name 4) bytes/request, $(median $name 5) MB resident"
done
ratio() { # NAME TO
    awk -v names="$1/$2" -v a="$(median "$1" 2)" -v b="$(median "$2" 2)" -v c="$(median "$1" 3)" -v d="$(median "$2" 3)" \
        'BEGIN { printf "%s: %.1f %% of the requests/s, %+.2f µs CPU/request\n", names, 100 * a / b, c - d }'
}
ratio memory bare
ratio disk bare
ratio disk memory
dotnet artifacts/bin/Estat.Bench/release/Estat.Bench.dll lone "http://127.0.0.1:$DISK_PORT" "$work"
