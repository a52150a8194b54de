#!/usr/bin/env bash
# A backlog on disk: storage goes away, events go on coming until so many bytes wait, storage comes back. Prints memory, the rate at which the backlog
# drains, and the latency of new events before, during and after. Storage is a real S3 (Ceph RGW over bluestore).
#
#   backlog.sh [GIGABYTES] [hung|stopped]
#
# hung: the gateway takes connections and never answers, so uploads time out and batches pile up in the spool. stopped: connections are refused, so uploads
# fail at once and batches pile up in the DLQ, compressed.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly GIGABYTES=${1:-10} HOW=${2:-hung} PORT=18083 RGW_PORT=18084 MON_PORT=18085
readonly URL=http://127.0.0.1:$PORT

scripts/ensure-test-servers.sh
command -v wrk >/dev/null || { echo "backlog: wrk is missing; apt-get install wrk" >&2; exit 1; }
work=$(mktemp -d "${TMPDIR:-/var/tmp}/estat-backlog.XXXXXX")
server='' load=''
cleanup() {
    if [[ -n $load ]]; then kill "$load" 2>/dev/null || true; fi
    if [[ -n $server ]]; then kill -KILL "$server" 2>/dev/null || true; fi
    scripts/ceph-rgw.sh stop "$work/ceph" >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap cleanup EXIT

gateway_pid() { cat "$work/ceph/run/client.rgw.a.pid"; }
metric() { curl -s "$URL/metrics" | awk -v name="$1" '$1 == name { printf "%.0f\n", $2 }'; }
waiting_bytes() { echo $(($(metric estat_spool_bytes) + $(metric dlq_size_bytes))); }
memory() { awk '/VmRSS/{ printf "%.0f\n", $2 / 1024 }' "/proc/$server/status"; }
latency() { # WHAT SECONDS
    wrk -t1 -c4 "-d${2}s" --latency -s bench/events.lua "$URL" |
        awk -v what="$1" '/ 50%/{ a = $2 } / 99%/{ b = $2 } /Requests\/sec/{ r = $2 } /Non-2xx/{ bad = $NF }
            END { printf "%-28s p50 %s, p99 %s (4 connections, %.0f/s, %d refused)\n", what, a, b, r, bad }'
}

echo "starting Ceph RGW over bluestore…"
scripts/ceph-rgw.sh start "$work/ceph" $RGW_PORT $MON_PORT bluestore $$ >/dev/null
AWS_ACCESS_KEY_ID=test-access-key AWS_SECRET_ACCESS_KEY=test-secret-key RAW_BUCKET=backlog S3_ENDPOINT=http://127.0.0.1:$RGW_PORT \
    HTTP_ADDR=127.0.0.1:$PORT SPOOL_DIR=$work/spool DLQ_DIR=$work/dlq SPOOL_MAX_SIZE_BYTES=64000000000 DLQ_MAX_SIZE_BYTES=64000000000 LOG_LEVEL=error \
    dotnet artifacts/bin/Estat.Api/release/Estat.Api.dll & server=$!
curl -s --retry 50 --retry-delay 1 --retry-connrefused -o /dev/null "$URL/health/ready"
AWS_ACCESS_KEY_ID=test-access-key AWS_SECRET_ACCESS_KEY=test-secret-key \
    dotnet artifacts/bin/Estat.Bench/release/Estat.Bench.dll bucket http://127.0.0.1:$RGW_PORT backlog

latency "storage answers:" 8
wrk -t1 -c8 -d15s -s bench/batch.lua "$URL" >/dev/null
before=$(memory)
echo "memory after 15 s of full load, storage answering: $before MB"

if [[ $HOW == hung ]]; then kill -STOP "$(gateway_pid)"; else scripts/ceph-rgw.sh stop-rgw "$work/ceph"; fi
echo "storage is $HOW; filling $GIGABYTES GB…"
wrk -t1 -c8 -d3600s -s bench/batch.lua "$URL" >/dev/null & load=$!
most=0
while (($(waiting_bytes) < GIGABYTES * 1000000000)); do
    sleep 5
    now=$(memory) && ((now > most)) && most=$now
    printf '  %6.2f GB wait (spool %s segments, DLQ %s files), %s MB resident\n' "$(awk -v b="$(waiting_bytes)" 'BEGIN { print b / 1e9 }')" \
        "$(metric estat_spool_waiting_segments)" "$(metric dlq_files_current)" "$now"
done
kill "$load" && wait "$load" 2>/dev/null || true
load=''
latency "backlog, no storage:" 8

full=$(waiting_bytes) events=$(($(metric 'estat_events{place="spooled"}') + $(metric 'estat_events{place="dlq"}')))
if [[ $HOW == hung ]]; then kill -CONT "$(gateway_pid)"; else scripts/ceph-rgw.sh start-rgw "$work/ceph"; fi
echo "storage is back"
started=$(date +%s.%N)
latency "draining:" 8
while :; do
    left=$(waiting_bytes)
    now=$(memory) && ((now > most)) && most=$now
    ((left < 50000000)) && break
    printf '  %6.2f GB left, %s MB resident\n' "$(awk -v b="$left" 'BEGIN { print b / 1e9 }')" "$now"
    sleep 5
done
awk -v bytes="$full" -v events="$events" -v started="$started" -v ended="$(date +%s.%N)" -v before="$before" -v most="$most" 'BEGIN {
    s = ended - started
    printf "drained %.1f GB (%.1f M events) in %.0f s: %.0f MB/s, %.0f events/s\n", bytes / 1e9, events / 1e6, s, bytes / 1e6 / s, events / s
    printf "memory: %d MB before, %d MB at most while %.1f GB waited and drained (%+d MB)\n", before, most, bytes / 1e9, most - before }'
