#!/usr/bin/env bash
# POST /collect at ACK=disk on the standalone server, on a co-hosted cluster node (gateway and silo in one process), and on a gateway before a silo: the same
# load, in turns, in one run. Prints each turn and the medians: requests/s and CPU microseconds per request, over all processes of the form.
#
#   cluster.sh [ROUNDS] [SECONDS_PER_TURN]
set -euo pipefail
cd "$(dirname "$0")/.."
readonly ROUNDS=${1:-5} SECONDS_EACH=${2:-6} CONNECTIONS=64 ALONE_PORT=18084 BOTH_PORT=18085 GATEWAY_PORT=18086 SILO_PORT=18087
readonly PROGRAM=artifacts/bin/Estat.Silo/release/Estat.Silo.dll

[[ -f $PROGRAM ]] || { echo "bench: the cluster was not built (make build says why)" >&2; exit 1; }
command -v wrk >/dev/null || {
    [[ $(id -u) == 0 ]] || { echo "bench: wrk is missing; apt-get install wrk" >&2; exit 1; }
    apt-get update -qq && apt-get install -y -qq wrk >/dev/null
}
# Not /tmp, which is a tmpfs on many machines: a flush there costs nothing.
work=$(mktemp -d "${TMPDIR:-/var/tmp}/estat-bench.XXXXXX")
declare -A pids=()
trap 'kill ${pids[*]} 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$work"' EXIT

start() { # NAME PORT COMMAND…
    local name=$1 port=$2
    shift 2
    env HTTP_ADDR="127.0.0.1:$port" ACK=disk STORAGE_DIR="$work/$name/data" DLQ_DIR="$work/$name/dlq" SPOOL_DIR="$work/$name/spool" LOG_LEVEL=warning "$@" >>"$work/log" 2>&1 &
    pids[$name]=$!
}
start standalone $ALONE_PORT dotnet artifacts/bin/Estat.Api/release/Estat.Api.dll
start cohosted $BOTH_PORT ROLE=both SILO_ADDR=127.0.0.1:18111 SILO_CLIENT_ADDR=127.0.0.1:18112 dotnet $PROGRAM
start silo $SILO_PORT ROLE=silo SILO_ADDR=127.0.0.1:18113 SILO_CLIENT_ADDR=127.0.0.1:18114 dotnet $PROGRAM
start gateway $GATEWAY_PORT ROLE=gateway SILO_CLIENT_ADDR=127.0.0.1:18114 dotnet $PROGRAM
for port in $ALONE_PORT $BOTH_PORT $SILO_PORT $GATEWAY_PORT; do
    for _ in $(seq 60); do
        [[ $(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/health/ready") == 200 ]] && continue 2
        sleep 0.5
    done
    echo "bench: nothing is ready on port $port; the log says:" >&2
    tail -5 "$work/log" >&2
    exit 1
done

ticks() { cat "${@/%//stat}" | awk '{ sum += $14 + $15 } END { print sum }'; }

turn() { # NAME PORT PROCESS…
    local name=$1 port=$2 before after out
    shift 2
    local stats=()
    for process in "$@"; do stats+=("/proc/${pids[$process]}"); done
    before=$(ticks "${stats[@]}")
    out=$(wrk -t1 -c$CONNECTIONS -d"${SECONDS_EACH}s" --latency -s bench/events.lua "http://127.0.0.1:$port")
    after=$(ticks "${stats[@]}")
    awk -v name="$name" -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" '
        / requests in /{ n = $1 } /50%/{ p50 = $2 } /99%/{ p99 = $2 } /Requests\/sec/{ rps = $2 } /Non-2xx/{ bad = $NF }
        END { printf "%s %.0f %.2f %s %s %d\n", name, rps, ticks * 1e6 / hz / n, p50, p99, bad + 0 }' <<<"$out" | tee -a "$work/turns"
}
turns() {
    turn standalone $ALONE_PORT standalone
    turn cohosted $BOTH_PORT cohosted
    turn split $GATEWAY_PORT gateway silo
}

echo "$(nproc) cores, $(awk -F': ' '/model name/{ print $2; exit }' /proc/cpuinfo), .NET $(dotnet --version), $CONNECTIONS connections, $ROUNDS rounds of $SECONDS_EACH s, ACK=disk"
echo "warming up…"
turns >/dev/null
: >"$work/turns"
echo "form requests/s cpu_us/request p50 p99 non_2xx"
for _ in $(seq "$ROUNDS"); do turns; done

median() { awk -v name="$1" -v column="$2" '$1 == name { print $column }' "$work/turns" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
echo "medians:"
for name in standalone cohosted split; do echo "$name $(median $name 2) requests/s, $(median $name 3) µs CPU/request"; done
for name in cohosted split; do
    awk -v name="$name" -v a="$(median "$name" 2)" -v b="$(median standalone 2)" -v c="$(median "$name" 3)" -v d="$(median standalone 3)" \
        'BEGIN { printf "%s/standalone: %.1f %% of the requests/s, %+.2f µs CPU/request\n", name, 100 * a / b, c - d }'
done
