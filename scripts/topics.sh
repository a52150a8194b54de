#!/usr/bin/env bash
# Topics on this machine: a PostgreSQL of its own in var/postgres, and the server with SERVE=topics. Ctrl-C drains the server, then ends PostgreSQL;
# what is stored stays there for the next time.
#
# By environment (or .env, appsettings.json): every option of the server. TOPICS_DATABASE or TOPICS_DATABASE_FILE: that PostgreSQL instead, and none
# is started here. POSTGRES_PORT=54320 is the port of the one that is started; the next free one is taken if something else has it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/dotnet.sh

readonly PROGRAM=artifacts/bin/Estat.Api/release/Estat.Api.dll
readonly VAR=$PWD/var FOLDER=$PWD/var/postgres DATA=$PWD/var/postgres/data ADDRESS=$PWD/var/postgres.url
readonly PATIENCE=60
server='' is_mine=''

die() {
    printf '\n%s\n' "$*" >&2
    exit 1
}

# Whether the environment, .env or the settings file says it.
said() { [[ -n ${!1:-} ]] || grep -qsE "^(export )?$1=" .env || grep -qsi "\"$1\"" appsettings.json; }

# HTTP_ADDR of .env and of the settings file, each on a line, without quotes and comments.
from_files() {
    sed -nE "s/^(export )?HTTP_ADDR=[\"']?([^\"'# ]*).*/\2/p" .env 2>/dev/null | tail -n 1 || true
    sed -nE 's/.*"HTTP_ADDR" *: *"([^"]*)".*/\1/pI' appsettings.json 2>/dev/null || true
}

taken() { (: <>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# As root, as the user postgres: PostgreSQL refuses to run as root.
as_postgres() {
    if ((EUID == 0)); then
        setpriv --reuid postgres --regid postgres --clear-groups env HOME="$FOLDER" "$@"
    else
        "$@"
    fi
}

# The folder of initdb, postgres and pg_ctl: of the version that made the data, else the newest.
find_binaries() {
    local version folder
    version=$(as_postgres cat "$DATA/PG_VERSION" 2>/dev/null || true)
    for folder in ${version:+/usr/lib/postgresql/"$version"/bin} $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -Vr); do
        if [[ -x $folder/pg_ctl && -x $folder/initdb ]]; then
            echo "$folder"
            return
        fi
    done
    dirname "$(command -v pg_ctl)"
}

make_data() {
    local password file
    password=$(head -c 18 /dev/urandom | base64 | tr '+/' 'ab')
    file=$(mktemp)
    printf '%s\n' "$password" >"$file"
    if ((EUID == 0)); then chown postgres "$file"; fi
    as_postgres "$BIN/initdb" -D "$DATA" -U estat -A scram-sha-256 --pwfile="$file" -E UTF8 --locale=C.UTF-8 >"$VAR/postgres.log" 2>&1 || {
        rm -f "$file"
        tail -n 15 "$VAR/postgres.log" >&2
        die "PostgreSQL cannot make its folder $DATA"
    }
    rm -f "$file"
    (umask 077 && printf 'postgres://estat:%s@127.0.0.1:0/estat\n' "$password" >"$ADDRESS")
}

end_postgres() {
    [[ -n $is_mine ]] || return 0
    as_postgres "$BIN/pg_ctl" -D "$DATA" -m fast -w stop >/dev/null 2>&1 || true
    echo "PostgreSQL has ended; what is stored stays in $FOLDER."
}

start_postgres() {
    local port=${POSTGRES_PORT:-54320} password
    scripts/ensure-postgres.sh || exit 1
    mkdir -p "$FOLDER"
    # One at a time: the first that ends would end the other's database.
    exec 8>"$VAR/postgres.lock"
    flock -n 8 || die "Another make topics runs in this folder. Stop it first."
    if ((EUID == 0)); then
        chown postgres "$FOLDER"
        as_postgres test -w "$FOLDER" || die "The user postgres cannot reach $FOLDER, and PostgreSQL does not run as root. Move this repository to a folder that \
every user may enter, run make topics as another user, or set TOPICS_DATABASE."
    fi
    chmod 700 "$FOLDER"
    BIN=$(find_binaries)
    [[ -s $ADDRESS ]] || ! as_postgres test -e "$DATA" || die "$ADDRESS is gone, which has the password of $DATA. Move $FOLDER away to begin anew."
    as_postgres test -e "$DATA/PG_VERSION" || make_data
    # After a kill -9 of this script it may still run.
    as_postgres "$BIN/pg_ctl" -D "$DATA" -m fast -w stop >/dev/null 2>&1 || true
    while taken "$port"; do port=$((port + 1)); done
    is_mine=1
    # No socket file: its path may be too long. 8: the lock is not PostgreSQL's.
    as_postgres "$BIN/pg_ctl" -D "$DATA" -l "$FOLDER/log" -w -t "$PATIENCE" \
        -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=''" start >/dev/null 8>&- || {
        as_postgres tail -n 15 "$FOLDER/log" >&2
        is_mine=''
        die "PostgreSQL does not start; its log is $FOLDER/log"
    }
    password=$(sed -E 's|.*estat:([^@]*)@.*|\1|' "$ADDRESS")
    (umask 077 && printf 'postgres://estat:%s@127.0.0.1:%s/estat\n' "$password" "$port" >"$ADDRESS")
    if [[ -z $("$BIN/psql" "$(sed 's|/estat$|/postgres|' "$ADDRESS")" -XAtc "SELECT 1 FROM pg_database WHERE datname = 'estat'") ]]; then
        "$BIN/psql" "$(sed 's|/estat$|/postgres|' "$ADDRESS")" -Xqc 'CREATE DATABASE estat'
    fi
    export TOPICS_DATABASE_FILE=$ADDRESS
    echo "PostgreSQL runs on 127.0.0.1:$port, in $FOLDER"
}

# GET /health/ready says 200; without curl, which not every machine has.
ready() {
    local status=
    exec 9<>"/dev/tcp/${HTTP_ADDR%:*}/${HTTP_ADDR##*:}" || return 1
    printf 'GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' >&9
    read -r -t 2 _ status _ <&9 || true
    exec 9>&-
    [[ $status == 200 ]]
} 2>/dev/null

show_lines() {
    local at=http://$HTTP_ADDR
    cat <<TEXT

Topics are ready. In another terminal:
  send      curl -d '{"key":"ann","value":{"hello":"topics"}}' $at/api/produce/greetings
            curl -d '{"userId":"ann","action":"login"}' $at/api/produce/user-activity
  ask       curl '$at/api/messages?topic=greetings'
            curl '$at/api/user-activities?userId=ann'    and $at/api/topics for lag and offsets
TEXT
    if [[ -n $is_mine ]]; then
        echo "  by SQL    ${BIN}/psql \"\$(cat ${ADDRESS#"$PWD"/})\" -c 'SELECT topic, \"partition\", \"offset\", key, value FROM messages'"
    fi
    echo "  read on   docs/topics.md. Ctrl-C here ends both"
    echo
}

# TERM for Ctrl-C too: what a script starts in the background ignores INT.
end_server() { [[ -z $server ]] || kill -TERM "$server" 2>/dev/null || true; }

echo "Building the server (a first build takes about a minute)…"
build_release src/Estat.Api
mkdir -p "$VAR"
trap end_postgres EXIT
trap 'end_server; [[ -n $server ]] || exit 130' INT
trap 'end_server; [[ -n $server ]] || exit 143' TERM
if said TOPICS_DATABASE || said TOPICS_DATABASE_FILE; then
    echo "Using the PostgreSQL of TOPICS_DATABASE"
else
    start_postgres
fi
if ! said SERVE; then export SERVE=topics; fi
if ! said TOPICS_AUTO_CREATE; then export TOPICS_AUTO_CREATE=true; fi
if ! said LOG_FORMAT; then export LOG_FORMAT=text; fi
if ! said HTTP_ADDR; then export HTTP_ADDR=127.0.0.1:8080; fi
echo "Starting it; Ctrl-C stops it…"
# In a session of its own, so that Ctrl-C reaches this script alone; it ends with this script, however that ends.
setsid setpriv --pdeathsig TERM dotnet "$PROGRAM" </dev/null 8>&- &
server=$!
# For the lines below alone: the server reads its files itself.
HTTP_ADDR=${HTTP_ADDR:-$(from_files | sed -n 1p)}
HTTP_ADDR=${HTTP_ADDR:-127.0.0.1:8080}
HTTP_ADDR=${HTTP_ADDR/#:/127.0.0.1:}
deadline=$((SECONDS + PATIENCE))
while kill -0 "$server" 2>/dev/null; do
    if ready; then
        show_lines
        break
    fi
    if ((SECONDS >= deadline)); then
        echo "It is not ready yet: GET http://$HTTP_ADDR/health/ready says why." >&2
        break
    fi
    sleep 0.1 || true
done
# A signal ends a wait, not the server.
code=0
while true; do
    wait "$server" && code=0 || code=$?
    kill -0 "$server" 2>/dev/null || break
done
exit "$code"
