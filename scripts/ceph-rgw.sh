#!/usr/bin/env bash
# A real S3 for tests and local runs: one Ceph monitor, one OSD and one RADOS gateway on 127.0.0.1, all inside one folder.
#
#   ceph-rgw.sh start DIR RGW_PORT MON_PORT [memstore|bluestore] [OWNER_PID]
#                              up in about two seconds; stops by itself once the process OWNER_PID is gone
#   ceph-rgw.sh stop-rgw DIR   stops the gateway alone: connections are refused, what is stored stays
#   ceph-rgw.sh start-rgw DIR  starts it again and waits until it answers
#   ceph-rgw.sh pause DIR      the gateway stands still: connections are taken and nothing is answered
#   ceph-rgw.sh continue DIR   it goes on
#   ceph-rgw.sh suspend DIR    the user is refused from now on (403)
#   ceph-rgw.sh enable DIR     the user is welcome again
#   ceph-rgw.sh stop DIR       ends every process of DIR and removes the folder
#
# Path-style requests to http://127.0.0.1:RGW_PORT as test-access-key / test-secret-key.
# bluestore keeps its objects on the disk (10 GiB sparse), memstore holds up to 2 GiB in memory.
set -euo pipefail

readonly USER_ID=test ACCESS_KEY=test-access-key SECRET_KEY=test-secret-key

die() {
    echo "ceph-rgw: $*" >&2
    exit 1
}

# Waits for a command to succeed; says what it waited for and what it last saw.
wait_until() {
    local seconds=$1 what=$2 seen=
    shift 2
    local deadline=$((SECONDS + seconds))
    until seen=$("$@" 2>&1); do
        ((SECONDS < deadline)) || die "waited $seconds s for $what; last seen: ${seen:-nothing}; logs in $DIR/log"
        sleep 0.03
    done
}

write_config() {
    local rgw_port=$1 mon_port=$2 store=$3
    cat >"$CONF" <<C
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon_initial_members = a
mon_host = v1:127.0.0.1:$mon_port
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
ms_bind_msgr2 = false
run_dir = $DIR/run
admin_socket = $DIR/run/\$name.asok
pid_file = $DIR/run/\$name.pid
log_file = $DIR/log/\$name.log
mon_cluster_log_file = $DIR/log/cluster.log
crash_dir = $DIR/crash
keyring = $DIR/keyring
# One OSD, one replica, one placement group per pool: nothing to wait for.
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
mon_max_pg_per_osd = 1000
mon_osd_initial_require_min_compat_client = luminous
# The defaults of these make the start wait for seconds.
paxos_propose_interval = 0.05
paxos_min_wait = 0.01
mon_tick_interval = 1
osd_heartbeat_interval = 1
# An OSD that stood still for longer than its lease (grace times ratio, 16 s) is laggy, and without a second one to renew it with remains so for ever.
osd_pool_default_read_lease_ratio = 1000
[mon]
mon_data = $DIR/mon/a
keyring = $DIR/mon.keyring
# Serve down to the last percent of the disk; a test machine is often that full.
mon_data_avail_crit = 1
mon_data_avail_warn = 1
[osd]
osd_data = $DIR/osd/0
keyring = $DIR/osd/0/keyring
osd_objectstore = $store
memstore_device_bytes = 2147483648
osd_memory_target = 939524096
osd_max_object_name_len = 256
osd_max_object_namespace_len = 64
osd_scrub_load_threshold = 2000
bluestore_block_size = 10737418240
bluestore_block_create = true
[client.rgw.a]
keyring = $DIR/rgw/keyring
rgw_frontends = beast endpoint=127.0.0.1:$rgw_port tcp_nodelay=1
rgw_data = $DIR/rgw
rgw_run_sync_thread = false
rgw_enable_usage_log = false
rgw_thread_pool_size = 64
rgw_relaxed_region_enforcement = true
C
}

# A daemon keeps what it inherits: held open, the caller's streams would look unfinished for as long as the daemon lives.
daemon() { "$@" >/dev/null </dev/null 3>&-; }

ceph_cli() { ceph -c "$CONF" --connect-timeout 20 "$@"; }

# Everything that was started with this folder's configuration, daemons and command line tools alike. Pid files alone would
# miss a daemon that is just starting.
pids_of_folder() {
    local file argument
    for file in /proc/[0-9]*/cmdline; do
        while IFS= read -r -d '' argument; do
            if [[ $argument == "$CONF" ]]; then
                file=${file#/proc/}
                echo "${file%/cmdline}"
                break
            fi
        done 2>/dev/null <"$file" || true
    done 2>/dev/null
}

# A process that has ended but was not yet reaped still has its number, but no command line any more.
alive() { [[ -n $(tr -d '\0' 2>/dev/null <"/proc/$1/cmdline") ]]; } 2>/dev/null

gone() { ! alive "$1"; }

running() { [[ -s $1 ]] && alive "$(cat "$1")"; }

answers() { curl -s -S -m 2 -o /dev/null "http://127.0.0.1:$1/"; }

start() {
    local rgw_port=$1 mon_port=$2 store=${3:-memstore} owner=${4:-} fsid osd
    [[ $store == memstore || $store == bluestore ]] || die "the store must be memstore or bluestore, not '$store'"
    if running "$DIR/run/start.pid" || [[ -n $(pids_of_folder) ]]; then die "$DIR is in use; run: $0 stop $DIR"; fi
    rm -rf "$DIR"
    mkdir -p "$DIR"/{mon,osd/0,rgw,log,run}
    echo $$ >"$DIR/run/start.pid"
    if [[ -n $owner ]]; then
        # In its own session, so that neither Ctrl-C nor the owner's end takes the watcher along before its work is done.
        setsid bash -c 'tail --pid="$1" -s 0.5 -f /dev/null; exec "$2" stop "$3"' watch "$owner" "$SELF" "$DIR" \
            >/dev/null 2>&1 </dev/null &
        echo $! >"$DIR/run/watcher.pid"
    fi

    # Whatever fails below shows why and leaves nothing behind; what goes well is silent.
    exec 3>&2 2>"$DIR/log/start.log"
    trap 'tail -n 20 "$DIR/log/start.log" >&3; stop' EXIT
    write_config "$rgw_port" "$mon_port" "$store"
    cd "$DIR"
    fsid=$(awk '$1 == "fsid" { print $3 }' "$CONF")
    ceph-authtool --create-keyring mon.keyring --gen-key -n mon. --cap mon 'allow *' >/dev/null
    ceph-authtool --create-keyring keyring --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
    ceph-authtool mon.keyring --import-keyring keyring >/dev/null
    monmaptool --create --fsid "$fsid" --addv a "[v1:127.0.0.1:$mon_port]" monmap >/dev/null
    ceph-mon -c "$CONF" --mkfs -i a --monmap monmap --keyring mon.keyring
    daemon ceph-mon -c "$CONF" -i a

    osd=$(cat /proc/sys/kernel/random/uuid)
    ceph_cli osd new "$osd" >/dev/null
    ceph_cli auth get-or-create osd.0 mon 'allow profile osd' osd 'allow *' mgr 'allow profile osd' -o osd/0/keyring
    ceph-osd -c "$CONF" -i 0 --mkfs --osd-uuid "$osd"
    daemon ceph-osd -c "$CONF" -i 0

    ceph_cli auth get-or-create client.rgw.a mon 'allow rw' osd 'allow rwx' mgr 'allow rw' -o rgw/keyring
    echo "$rgw_port" >rgw/port
    start_rgw
    radosgw-admin -c "$CONF" user create --uid="$USER_ID" --display-name="$USER_ID" --access-key="$ACCESS_KEY" --secret-key="$SECRET_KEY" \
        --max-buckets=0 >/dev/null
    trap - EXIT
    rm -f "$DIR/run/start.pid"
}

start_rgw() {
    local port
    port=$(cat "$DIR/rgw/port")
    running "$DIR/run/client.rgw.a.pid" && return 0
    # Another server's answer must not pass for the gateway's.
    if answers "$port" 2>/dev/null; then die "port $port is already taken"; fi
    daemon radosgw -c "$CONF" -n client.rgw.a
    wait_until 30 "the gateway on port $port to answer" answers "$port"
    running "$DIR/run/client.rgw.a.pid" || die "the gateway ended; logs in $DIR/log"
}

# SIGTERM, not SIGKILL: a gateway that dies without leaving stays registered as a watcher of its users, and the next
# change of a user then hangs for half a minute.
stop_rgw() {
    local pid
    running "$DIR/run/client.rgw.a.pid" || return 0
    pid=$(cat "$DIR/run/client.rgw.a.pid")
    kill -TERM "$pid"
    wait_until 20 "the gateway (process $pid) to end" gone "$pid"
}

signal_rgw() { kill "-$1" "$(cat "$DIR/run/client.rgw.a.pid")"; }

set_user() { radosgw-admin -c "$CONF" user "$1" --uid="$USER_ID" >/dev/null; }

stop() {
    local pid pids
    [[ -d $DIR ]] || return 0
    # Neither is this very process: a start that failed stops, and the watcher becomes a stop.
    pid=$(cat "$DIR/run/start.pid" 2>/dev/null || true)
    if [[ -n $pid && $pid != $$ ]]; then kill -KILL "$pid" 2>/dev/null || true; fi
    pid=$(cat "$DIR/run/watcher.pid" 2>/dev/null || true)
    if [[ -n $pid && $pid != $$ ]]; then kill -KILL -- "-$pid" 2>/dev/null || true; fi
    local deadline=$((SECONDS + 20))
    while pids=$(pids_of_folder) && [[ -n $pids ]]; do
        ((SECONDS < deadline)) || die "waited 20 s for the processes of $DIR to end; still there: ${pids//$'\n'/ }"
        # shellcheck disable=SC2086 # one word per process
        kill -KILL $pids 2>/dev/null || true
        sleep 0.02
    done
    rm -rf "$DIR"
}

(($# >= 2)) || die "usage: $0 start DIR RGW_PORT MON_PORT [memstore|bluestore] [OWNER_PID] | stop-rgw|start-rgw|pause|continue|suspend|enable|stop DIR"
SELF=$(realpath "$0")
DIR=$(realpath -m "$2")
CONF=$DIR/ceph.conf
readonly SELF DIR CONF
command=$1
shift 2
[[ $command == start || $command == stop || -f $CONF ]] || die "no gateway was started in $DIR"
case $command in
start)
    (($# >= 2)) || die "start wants DIR RGW_PORT MON_PORT"
    start "$@"
    ;;
stop-rgw) stop_rgw ;;
start-rgw) start_rgw ;;
pause) signal_rgw STOP ;;
continue) signal_rgw CONT ;;
suspend) set_user suspend ;;
enable) set_user enable ;;
stop) stop ;;
*) die "unknown command '$command'" ;;
esac
