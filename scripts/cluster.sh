#!/usr/bin/env bash
# A whole cluster on this machine, without Docker: a Redis (or a DynamoDB) for its membership, silos, and gateways, each a process with a folder of
# its own under var/cluster. Ctrl-C drains them all; a second Ctrl-C leaves what is not stored yet on the disk.
#
# By environment: CLUSTERING=redis or dynamodb (without it: redis where redis-server is there or can be installed, else dynamodb where its provider
# is built), SILOS=3, GATEWAYS=2, HTTP_PORT=8080 (gateways listen from there on, silos from 10 above, the membership 20 above), and every option of
# a node, of which these differ from a node's own defaults: ACK=replica, FLUSH_INTERVAL=10s. Objects go to RAW_BUCKET, or to STORAGE_DIR=./data.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh

readonly SILOS=${SILOS:-3} GATEWAYS=${GATEWAYS:-2} HTTP_PORT=${HTTP_PORT:-8080}
readonly SILO_HTTP=$((HTTP_PORT + 10)) MEMBERS_PORT=$((HTTP_PORT + 20)) SILO_PORT=11111 CLIENT_PORT=30000
readonly PROGRAM=artifacts/bin/Estat.Silo/release/Estat.Silo.dll ROOT=$PWD/var/cluster
readonly PATIENCE=60 DRAIN_PATIENCE=40
declare -A pid=() port=()
stopping=

die() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

taken() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

alive() { kill -0 "${pid[$1]}" 2>/dev/null; }

# GET /health/ready says 200; without curl, which not every machine has.
ready() {
    local status=
    exec 9<>"/dev/tcp/127.0.0.1/$1" || return 1
    printf 'GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&9
    read -r -t 2 _ status _ <&9 || true
    exec 9>&-
    [[ $status == 200 ]]
} 2>/dev/null

# launch NAME COMMAND… — in a session of its own, so that Ctrl-C reaches this script alone; it ends with this script, however that ends.
launch() {
    local name=$1
    shift
    mkdir -p "$ROOT/$name"
    setsid setpriv --pdeathsig TERM "$@" >>"$ROOT/$name/log" 2>&1 </dev/null &
    pid[$name]=$!
    # Its end is told by this script, not by the shell.
    disown
}

# node NAME — one Estat.Silo, "silo-N" or "gateway-N".
node() {
    local name=$1 number=${1#*-}
    [[ $name == silo-* ]] || number=$((SILOS + number))
    launch "$name" env ROLE="${name%-*}" HTTP_ADDR="127.0.0.1:${port[$name]}" SILO_ADDR="127.0.0.1:$((SILO_PORT + number))" \
        SILO_CLIENT_ADDR="127.0.0.1:$((CLIENT_PORT + number))" SPOOL_DIR="$ROOT/$name/spool" DLQ_DIR="$ROOT/$name/dlq" dotnet "$PROGRAM"
}

show_log() {
    echo >&2
    echo "$1 ended by itself. The last that it said ($ROOT/$1/log):" >&2
    # Of JSON lines, what they say.
    tail -n 15 "$ROOT/$1/log" | sed -E 's/^\{.*"Message":"(([^"\\]|\\.)*)".*/\1/; s/^/  /' >&2
}

until_ready() {
    local name deadline=$((SECONDS + PATIENCE))
    for name in "$@"; do
        printf '  %-10s ' "$name"
        until ready "${port[$name]}"; do
            if ! alive "$name"; then
                show_log "$name"
                die "Put right what it complains of, and start again."
            fi
            ((SECONDS < deadline)) || die "$name does not become ready within $PATIENCE s; its log is $ROOT/$name/log"
            [[ -z $stopping ]] || exit 0
            sleep 0.1 || true
        done
        echo "http://127.0.0.1:${port[$name]}"
    done
}

# Gateways first: while they drain, the silos still take what is on its way.
drain() {
    local name group deadline=$((SECONDS + DRAIN_PATIENCE))
    for group in gateway silo redis dynamodb; do
        for name in "${!pid[@]}"; do
            if [[ $name == "$group"* ]] && alive "$name"; then kill -TERM "${pid[$name]}" 2>/dev/null || true; fi
        done
        for name in "${!pid[@]}"; do
            [[ $name == "$group"* ]] || continue
            while alive "$name"; do
                if ((SECONDS >= deadline)); then
                    echo "$name does not end within $DRAIN_PATIENCE s and is killed; what it has not stored is in $ROOT/$name" >&2
                    kill -KILL "${pid[$name]}" 2>/dev/null || true
                fi
                sleep 0.1 || true
            done
        done
    done
}

stop() {
    if [[ -n $stopping ]]; then
        for name in "${!pid[@]}"; do kill -TERM "${pid[$name]}" 2>/dev/null || true; done
        return
    fi
    stopping=yes
    printf '\nDraining; a second Ctrl-C leaves what is not stored yet on the disk…\n'
}

finish() {
    local code=$?
    trap stop INT TERM
    stopping=yes
    ((${#pid[@]} == 0)) || drain
    ((code != 0)) || echo "All drained."
    exit "$code"
}

# Sets CLUSTERING by what this machine has, and NAME, by which people know it.
choose_members() {
    local asked=${CLUSTERING:-} log
    log=$(mktemp)
    case $asked in
        '' | redis | dynamodb) ;;
        *) die "CLUSTERING=$asked: make cluster takes redis or dynamodb" ;;
    esac
    CLUSTERING=${asked:-redis}
    if [[ $CLUSTERING == redis ]] && ! scripts/ensure-redis.sh 2>"$log"; then
        if [[ -n $asked || $DYNAMODB_PROVIDER != true ]]; then die "$(cat "$log")"; fi
        CLUSTERING=dynamodb
    fi
    rm -f "$log"
    NAME=Redis
    if [[ $CLUSTERING == dynamodb ]]; then
        NAME=DynamoDB
        [[ $DYNAMODB_PROVIDER == true ]] || die "CLUSTERING=dynamodb: $(say_dynamodb)."
        scripts/ensure-dynamodb.sh
    fi
    echo "Membership: $NAME${asked:+, as CLUSTERING asks}"
}

launch_members() {
    if [[ $CLUSTERING == dynamodb ]]; then
        export DYNAMODB_ENDPOINT=http://127.0.0.1:$MEMBERS_PORT
        launch dynamodb env NODE_PATH="$PWD/artifacts/dynamodb/node_modules" node deploy/local/dynamodb.js "$MEMBERS_PORT"
    else
        export REDIS_ENDPOINT=127.0.0.1:$MEMBERS_PORT
        unset REDIS_USER REDIS_PASSWORD REDIS_DATABASE REDIS_TLS REDIS_TLS_CA REDIS_TLS_CERT REDIS_TLS_KEY
        # In memory: with this cluster everything that it holds is over.
        launch redis redis-server --bind 127.0.0.1 --port "$MEMBERS_PORT" --dir "$ROOT/redis" --save '' --appendonly no
    fi
}

for tool in setsid setpriv; do
    command -v "$tool" >/dev/null || die "$tool is not on PATH. It is part of util-linux: apt-get install util-linux"
done
. scripts/dynamodb-provider.sh
choose_members
echo "Building the cluster (a first build takes about a minute)…"
if ! build_release src/Estat.Silo; then
    die "The cluster could not be built. If packages could not be restored, is nuget.org reachable from here? (dotnet nuget list source)"
fi

for ((i = 0; i < GATEWAYS; i++)); do wanted+=" $((HTTP_PORT + i))"; done
for ((i = 1; i <= SILOS; i++)); do wanted+=" $((SILO_HTTP + i)) $((SILO_PORT + i)) $((CLIENT_PORT + i))"; done
for number in ${wanted:-} "$MEMBERS_PORT"; do
    if taken "$number"; then
        die "Port $number of 127.0.0.1 is taken, perhaps by another cluster. Stop who listens there (ss -ltnp 'sport = :$number'), or name others: make cluster HTTP_PORT=9080"
    fi
done

export CLUSTERING CLUSTER_ID=${CLUSTER_ID:-local}
export ACK=${ACK:-replica} FLUSH_INTERVAL=${FLUSH_INTERVAL:-10s}
if [[ -z ${RAW_BUCKET:-} ]]; then
    export STORAGE_DIR=${STORAGE_DIR:-$PWD/data}
fi
if [[ -n ${RAW_BUCKET:-} ]]; then
    where="bucket $RAW_BUCKET"
    read_it="aws s3 ls --recursive s3://$RAW_BUCKET/${RAW_PREFIX:-raw}/"
else
    where=$STORAGE_DIR
    read_it="find $STORAGE_DIR -name '*.jsonl.gz' | xargs zcat"
fi

trap stop INT TERM
trap finish EXIT
echo "Starting $NAME, $SILOS silos and $GATEWAYS gateways; Ctrl-C drains them…"
rm -f "$ROOT/$CLUSTERING/log"
launch_members
until taken "$MEMBERS_PORT"; do
    [[ -z $stopping ]] || exit 0
    if ! alive "$CLUSTERING"; then
        show_log "$CLUSTERING"
        exit 1
    fi
    sleep 0.05 || true
done
names=()
for ((i = 1; i <= SILOS; i++)); do
    names+=("silo-$i")
    port[silo-$i]=$((SILO_HTTP + i))
done
for ((i = 1; i <= GATEWAYS; i++)); do
    names+=("gateway-$i")
    port[gateway-$i]=$((HTTP_PORT + i - 1))
done
for name in "${names[@]}"; do
    rm -f "$ROOT/$name/log"
    node "$name"
done
until_ready "${names[@]}"

cat <<TEXT

The cluster is up, at ack level $ACK; objects go to $where.
  try it       curl -i -d 'hello=estat' http://127.0.0.1:$HTTP_PORT/collect
  read it      $read_it    (within $FLUSH_INTERVAL, or after Ctrl-C)
  break it     kill -9 ${pid[silo-1]}    (silo-1; it is started again, and what it acknowledged is stored all the same)
  watch it     http://127.0.0.1:$((SILO_HTTP + 1))/orleans is the dashboard, http://127.0.0.1:$((SILO_HTTP + 1))/metrics the numbers; logs in $ROOT/*/log
TEXT

# Whoever ends by itself is started again, as an orchestrator does; not who ends at once each time.
declare -A started=()
while [[ -z $stopping ]]; do
    for name in "${!pid[@]}"; do
        if [[ -z $stopping ]] && ! alive "$name"; then
            show_log "$name"
            [[ $name != "$CLUSTERING" ]] || die "Without $NAME no silo can join any more; the others are drained."
            ((SECONDS - ${started[$name]:--99} > 10)) || die "It ended within 10 s of its start; all are drained."
            echo "Starting $name again…" >&2
            started[$name]=$SECONDS
            node "$name"
        fi
    done
    sleep 0.3 || true
done
