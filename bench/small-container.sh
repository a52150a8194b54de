#!/usr/bin/env bash
# The published server in a small container: a control group with a quarter of a CPU and 512 MB, 3,000 events/s at a constant rate, storage well, then away,
# then back. Storage (Ceph RGW over bluestore) and the load run outside of the group, the load at a real-time priority: what else runs on this machine must not
# look like latency. Prints latency by the minute, counted from when each event was due, what the group used, and whether every acknowledged event is in the
# bucket.
#
#   small-container.sh [disk|memory] [MINUTES_AWAY] [hung|stopped] [NAME=VALUE…]      options or DOTNET_ settings for the server
#
# APP=FOLDER takes a server that is published already. CPU=25 (percent of one), MEMORY=512 (MB) and RATE=3000 may be given. It needs root, and the cpu and memory
# controllers of cgroup v1.
set -euo pipefail
cd "$(dirname "$0")/.."
readonly ACK=${1:-disk} AWAY=${2:-10} HOW=${3:-stopped} CPU=${CPU:-25} MEMORY=${MEMORY:-512} RATE=${RATE:-3000}
readonly PORT=18089 RGW_PORT=18090 MON_PORT=18091 BEFORE=${BEFORE:-60} AFTER=${AFTER:-120}
readonly URL=http://127.0.0.1:$PORT LOAD=artifacts/bin/Estat.SmallContainer/release/Estat.SmallContainer.dll
if (($# > 3)); then shift 3; else set --; fi

die() {
    echo "small-container: $*" >&2
    exit 1
}
[[ $(id -u) == 0 && -w /sys/fs/cgroup/cpu/cgroup.procs && -w /sys/fs/cgroup/memory/cgroup.procs ]] ||
    die "needs root and cgroup v1 (/sys/fs/cgroup/cpu and /sys/fs/cgroup/memory)"
[[ -f $LOAD ]] || die "make build first"
scripts/ensure-test-servers.sh

# Not /tmp, which is a tmpfs on many machines: a flush there costs nothing.
work=$(mktemp -d "${TMPDIR:-/var/tmp}/estat-small.XXXXXX")
readonly CPU_GROUP=/sys/fs/cgroup/cpu/${work##*/} MEMORY_GROUP=/sys/fs/cgroup/memory/${work##*/}
server='' load='' watch=''
cleanup() {
    for process in $load $watch; do kill "$process" 2>/dev/null || true; done
    if [[ -n $server ]]; then
        kill -KILL "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    scripts/ceph-rgw.sh stop "$work/ceph" >/dev/null 2>&1 || true
    rmdir "$CPU_GROUP" "$MEMORY_GROUP" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

mkdir "$CPU_GROUP" "$MEMORY_GROUP"
echo 100000 >"$CPU_GROUP/cpu.cfs_period_us"
echo $((CPU * 1000)) >"$CPU_GROUP/cpu.cfs_quota_us"
# What the quota grants is the group's, whatever else this machine does.
echo 262144 >"$CPU_GROUP/cpu.shares"
echo $((MEMORY * 1024 * 1024)) >"$MEMORY_GROUP/memory.limit_in_bytes"

export AWS_ACCESS_KEY_ID=test-access-key AWS_SECRET_ACCESS_KEY=test-secret-key
app=${APP:-$work/app}
[[ -n ${APP:-} ]] || scripts/publish.sh "$app"
scripts/ceph-rgw.sh start "$work/ceph" $RGW_PORT $MON_PORT bluestore $$ >/dev/null
dotnet $LOAD bucket http://127.0.0.1:$RGW_PORT small

value() { awk -v name="$2" '$1 == name { print $2 }' "$1"; }
metric() { curl -s -m 2 "$URL/metrics" | awk -v name="$1" '$1 == name { printf "%.0f\n", $2 }'; }
megabytes() { awk '{ printf "%.0f\n", $1 / 1048576 }' <<<"$1"; }
state() {
    printf '%s  rss %s MB, group %s MB (anonymous %s, page cache %s), %s s of CPU, throttled %s of %s periods, spool %s MB, DLQ %s MB, failed charges %s\n' "$(date +%T)" \
        "$(awk '/VmRSS/{ printf "%.0f", $2 / 1024 }' "/proc/$server/status")" "$(megabytes "$(cat "$MEMORY_GROUP/memory.usage_in_bytes")")" \
        "$(megabytes "$(value "$MEMORY_GROUP/memory.stat" total_rss)")" "$(megabytes "$(value "$MEMORY_GROUP/memory.stat" total_cache)")" \
        "$(awk '{ printf "%.1f", ($14 + $15) / 100 }' "/proc/$server/stat")" \
        "$(value "$CPU_GROUP/cpu.stat" nr_throttled)" "$(value "$CPU_GROUP/cpu.stat" nr_periods)" \
        "$(megabytes "$(metric estat_spool_bytes)")" "$(megabytes "$(metric dlq_size_bytes)")" "$(cat "$MEMORY_GROUP/memory.failcnt")"
}
gateway() {
    case $HOW-$1 in
    hung-away) kill -STOP "$(cat "$work/ceph/run/client.rgw.a.pid")" ;;
    hung-back) kill -CONT "$(cat "$work/ceph/run/client.rgw.a.pid")" ;;
    stopped-away) scripts/ceph-rgw.sh stop-rgw "$work/ceph" ;;
    stopped-back) scripts/ceph-rgw.sh start-rgw "$work/ceph" ;;
    esac
    echo "$(date +%T)  storage is $1"
}

echo "$CPU % of a CPU, $MEMORY MB, $RATE events/s, ACK=$ACK, storage $HOW for $AWAY min $*"
began=${EPOCHREALTIME/./}
# shellcheck disable=SC2016 # expanded by the inner shell, which becomes the server inside of the groups
env "$@" RAW_BUCKET=small S3_ENDPOINT=http://127.0.0.1:$RGW_PORT HTTP_ADDR=127.0.0.1:$PORT ACK="$ACK" SPOOL_DIR="$work/spool" DLQ_DIR="$work/dlq" \
    LOG_LEVEL=error bash -c 'echo $$ >"$0/cgroup.procs" && echo $$ >"$1/cgroup.procs" && exec dotnet "$2/Estat.Api.dll"' "$CPU_GROUP" "$MEMORY_GROUP" "$app" & server=$!
until [[ $(curl -s -m 5 -o /dev/null -w '%{http_code}' "$URL/health/ready") == 200 ]]; do
    kill -0 "$server" || die "the server ended"
    sleep 0.02
done
echo "ready after $(((${EPOCHREALTIME/./} - began) / 1000)) ms, with $(awk '/VmRSS/{ printf "%.0f", $2 / 1024 }' "/proc/$server/status") MB resident;" \
    "the runtime counts $(metric dotnet_process_cpu_count) CPU"

chrt --fifo 10 dotnet $LOAD load $URL "$RATE" $((BEFORE + AWAY * 60 + AFTER)) http://127.0.0.1:$RGW_PORT small & load=$!
sleep 4 # its warm-up, against itself
(while sleep 15; do state; done) & watch=$!
sleep $BEFORE
gateway away
sleep $((AWAY * 60))
gateway back
code=0
wait "$load" || code=$?
load=''
kill "$watch" && wait "$watch" 2>/dev/null || true
watch=''
state
echo "group: $(megabytes "$(cat "$MEMORY_GROUP/memory.max_usage_in_bytes")") MB at most; resident at most $(awk '/VmHWM/{ printf "%.0f", $2 / 1024 }' "/proc/$server/status") MB;" \
    "throttled in $(value "$CPU_GROUP/cpu.stat" nr_throttled) of $(value "$CPU_GROUP/cpu.stat" nr_periods) periods; OOM kills $(value "$MEMORY_GROUP/memory.oom_control" oom_kill)"
kill -TERM "$server"
stopped=0
wait "$server" || stopped=$?
server=''
echo "the server ended with $stopped"
exit $code
